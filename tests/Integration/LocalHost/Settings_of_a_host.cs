using Microsoft.Extensions.Logging.Abstractions;
using Outpost.LocalHost;

namespace Outpost.Tests.Integration.LocalHost;

public sealed class Settings_of_a_host : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("outpost-localhost-").FullName;
    private readonly List<string> _roots = [];

    [Fact]
    public async Task Local_settings_stand_behind_the_environment()
    {
        var root = App(("local.settings.json", """
            {
              // the tools allow comments
              "IsEncrypted": false,
              "Values": {
                "Only__Local": "local", "Both__Ways": "local", "Empty__There": "local", "Blank": "",
                "Written:Plain": "colon",
              },
            }
            """));
        await using var host = await HostProcess.StartAsync(root: root, environment: new() { ["Both__Ways"] = "environment", ["Empty__There"] = "" });
        (string Setting, string Expected)[] cases =
        [
            ("Only:Local", "local"), ("Both:Ways", "environment"), ("Empty:There", "local"), ("Blank", "none"), ("Written:Plain", "colon"),
        ];

        foreach (var (setting, expected) in cases)
            Assert.Equal((setting, expected), (setting, await host.Http.GetStringAsync(new Uri($"api/settings/{setting}", UriKind.Relative))));
    }

    [Theory]
    [InlineData("""{ "extensions": { "http": { "routePrefix": "v1/x" } } }""", "v1/x/length")]
    [InlineData("""{ "extensions": { "http": { "routePrefix": "" } } }""", "length")]
    [InlineData("""{ "version": "2.0" }""", "api/length")]
    public async Task The_route_prefix_comes_from_host_json(string hostJson, string expected)
    {
        await using var host = await HostProcess.StartAsync(root: App(("host.json", hostJson)));

        using var answer = await host.Http.PostAsync(expected, new ByteArrayContent([1]));

        Assert.Equal("1", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("host.json", "{", "host.json")]
    [InlineData("local.settings.json", "[]", "local.settings.json")]
    [InlineData("local.settings.json", """{ "IsEncrypted": true, "Values": { "A": "x" } }""", "func settings decrypt")]
    [InlineData("worker.config.json", """{ "description": { "language": "python" } }""", "dotnet-isolated")]
    [InlineData("worker.config.json", """{ "description": { "language": "dotnet-isolated", "defaultExecutablePath": "{WorkerRoot}gone", "defaultWorkerPath": "x" } }""", "gone does not start")]
    [InlineData("host.json", """{ "functionTimeout": "ten" }""", "functionTimeout in host.json is 'ten'")]
    [InlineData("host.json", """{ "extensions": { "http": { "maxConcurrentRequests": 0 } } }""", "maxConcurrentRequests in host.json is '0'")]
    [InlineData("worker.config.json", "{}", "not what the Worker SDK writes")]
    public async Task A_file_that_cannot_be_used_stops_the_start_with_its_name(string file, string text, string expected)
    {
        await using var host = HostProcess.Begin(root: App((file, text)));

        Assert.Equal(1, await host.ExitAsync());
        Assert.Contains(expected, Assert.Single(host.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_timer_remembers_its_run_in_the_data_folder()
    {
        await using (var host = await HostProcess.StartAsync(["--data", _data], environment: new() { ["TICK_STAYS"] = "1" }))
        {
            await host.LineAsync("tick entered");
            host.LetGo();
            await host.LineAsync("tick left");
            await host.SignalAsync("TERM");
            await host.ExitAsync();
        }

        var record = Records().Read("Tick")!;
        Assert.Equal(record.Last.Date.AddDays(1), record.Next);
    }

    [Fact]
    public async Task A_run_that_a_stopped_host_missed_is_made_up_for_as_past_due()
    {
        var yesterday = DateTime.SpecifyKind(DateTime.UtcNow.Date.AddDays(-1), DateTimeKind.Utc);
        Records().Write("Tick", new TimerRecord(yesterday.AddDays(-1), yesterday, yesterday.AddDays(-1)));

        await using var host = await HostProcess.StartAsync(["--data", _data]);

        await host.LineAsync("tick past due True");
    }

    [Fact]
    public void A_record_that_cannot_be_read_is_done_without()
    {
        Directory.CreateDirectory(Path.Combine(_data, "timers"));
        File.WriteAllText(Path.Combine(_data, "timers", "Tick.json"), "{ half");

        Assert.Null(Records().Read("Tick"));
        var record = new TimerRecord(default, DateTime.UnixEpoch, DateTime.UnixEpoch);
        Records().Write("Tick", record);
        Assert.Equal(record, Records().Read("Tick"));
        Assert.Equal(DateTimeKind.Utc, Records().Read("Tick")!.Next.Kind);
    }

    public void Dispose()
    {
        Directory.Delete(_data, recursive: true);
        foreach (var root in _roots) Directory.Delete(root, recursive: true);
    }

    private string App(params (string Name, string Text)[] files)
    {
        var root = HostProcess.CopyOfSampleApp(files);
        _roots.Add(root);
        return root;
    }

    private TimerRecordFiles Records() => new(Path.Combine(_data, "timers"), NullLogger.Instance);
}

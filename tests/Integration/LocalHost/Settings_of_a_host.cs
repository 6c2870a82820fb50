using Microsoft.Extensions.Logging.Abstractions;
using Outpost.LocalHost;

namespace Outpost.Tests.Integration.LocalHost;

public sealed class Settings_of_a_host : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("outpost-localhost-").FullName;

    [Theory]
    [InlineData("Only:Local", "local", "a local setting")]
    [InlineData("Both:Ways", "environment", "the environment wins")]
    [InlineData("Empty:There", "local", "an empty variable is none")]
    [InlineData("Blank", "none", "an empty local setting is none")]
    [InlineData("Written:Plain", "colon", "a colon is as good as two underscores")]
    public async Task Local_settings_stand_behind_the_environment(string setting, string expected, string why)
    {
        Write("local.settings.json", """
            {
              // the tools allow comments
              "IsEncrypted": false,
              "Values": {
                "Tick__Schedule": "0 0 0 * * *",
                "Only__Local": "local", "Both__Ways": "local", "Empty__There": "local", "Blank": "",
                "Written:Plain": "colon",
              },
            }
            """);
        await using var host = await Start(new() { ["Both__Ways"] = "environment", ["Empty__There"] = "" });

        var found = await host.Http.GetStringAsync(new Uri($"api/settings/{setting}", UriKind.Relative));

        Assert.Equal((expected, why), (found, why));
        Assert.Equal("local", host.Set["Only__Local"]);
        Assert.DoesNotContain("Both__Ways", host.Set.Keys);
    }

    [Theory]
    [InlineData("""{ "extensions": { "http": { "routePrefix": "v1/x" } } }""", null, "v1/x/length")]
    [InlineData("""{ "extensions": { "http": { "routePrefix": "" } } }""", null, "length")]
    [InlineData("""{ "version": "2.0" }""", null, "api/length")]
    [InlineData("""{ "extensions": { "http": { "routePrefix": "v1" } } }""", "v2", "v2/length")]
    public async Task The_route_prefix_comes_from_host_json_unless_the_environment_has_one(
        string hostJson, string? variable, string expected)
    {
        Write("host.json", hostJson);
        var environment = new Dictionary<string, string> { ["Tick__Schedule"] = "0 0 0 * * *" };
        if (variable is not null)
            environment["AzureFunctionsJobHost__extensions__http__routePrefix"] = variable;
        await using var host = await Start(environment);

        using var answer = await host.Http.PostAsync(expected, new ByteArrayContent([1]));

        Assert.Equal("1", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("host.json", "{", "host.json")]
    [InlineData("local.settings.json", "[]", "local.settings.json")]
    [InlineData("local.settings.json", """{ "IsEncrypted": true, "Values": { "A": "x" } }""", "func settings decrypt")]
    public async Task A_file_that_cannot_be_used_stops_the_start_with_its_name(
        string file, string text, string expected)
    {
        Write(file, text);
        await using var host = await Start([]);

        Assert.Equal(1, await host.Ended);
        Assert.Contains(expected, Assert.Single(host.Error.Trim().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_timer_remembers_its_run_in_the_data_folder()
    {
        await using (var host = await Start(new() { ["Tick__Schedule"] = "0 0 0 * * *", ["Tick__Stays"] = "1" }))
        {
            await host.Signals.Entered.Wait();
            host.Signals.Leave.Set();
            await host.StopAsync();
        }

        var record = Records().Read("Tick")!;
        Assert.Equal(record.Last.Date.AddDays(1), record.Next);
    }

    [Fact]
    public void A_record_that_cannot_be_read_is_done_without()
    {
        Directory.CreateDirectory(Path.Combine(_root, "timers"));
        Write("timers/Tick.json", "{ half");

        Assert.Null(Records().Read("Tick"));
        var record = new TimerRecord(default, DateTime.UnixEpoch, DateTime.UnixEpoch);
        Records().Write("Tick", record);
        Assert.Equal(record, Records().Read("Tick"));
        Assert.Equal(DateTimeKind.Utc, Records().Read("Tick")!.Next.Kind);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private TimerRecordFiles Records() => new(Path.Combine(_root, "timers"), NullLogger.Instance);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_root, name), text);

    private Task<RunningHost> Start(Dictionary<string, string> environment) =>
        RunningHost.StartAsync<SampleApp>(["--data", _root], _root, environment: environment);
}

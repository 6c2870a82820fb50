namespace Outpost.Tests.EndToEnd;

/// <summary>
/// Azurite and the Service Bus emulator as programs of their own, with state that survives them, so that a test can
/// stop and start either of them, or the app, in the middle.
/// </summary>
internal sealed class LocalServices : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("outpost-e2e-").FullName;
    private readonly List<ChildProcess> _apps = [];
    private ChildProcess? _tables;
    private ChildProcess? _bus;

    public string Tables { get; private set; } = "";

    public string Bus { get; private set; } = "";

    public static async Task<LocalServices> StartAsync()
    {
        var services = new LocalServices();
        await Task.WhenAll(services.StartTablesAsync(), services.StartBusAsync());
        return services;
    }

    public async Task StartBusAsync()
    {
        // The same port as before, where the app looks for it.
        var port = Bus.Length == 0 ? "0" : Bus.Split(';')[0].Split(':')[^1];
        _bus = ChildProcess.Start("node",
        [
            "infra/local/servicebus/main.mjs", "--port", port, "--config", "infra/local/servicebus.config.json",
            "--data", Path.Combine(_data, "bus"), "--exit-with-stdin",
        ]);
        Bus = await _bus.LineAsync("Service Bus emulator: ");
    }

    public async Task StopBusAsync()
    {
        Assert.Equal(0, await _bus!.StopAsync());
        await _bus.DisposeAsync();
    }

    /// <summary>The app, or the second service, as LocalHost runs it.</summary>
    public async Task<RunningApp> StartAppAsync(
        int partitions = 1, IReadOnlyDictionary<string, string>? settings = null, string project = "Functions", int port = 0)
    {
        var environment = new Dictionary<string, string>
        {
            ["TableStorage"] = Tables,
            ["ServiceBus"] = Bus,
            ["Outpost__PartitionCount"] = $"{partitions}",
            ["FORWARDER_SCHEDULE"] = "* * * * * *",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string>()) environment[name] = value;
        var process = ChildProcess.Start("dotnet", [Path.Combine(Built("LocalHost"), "Outpost.LocalHost.dll"), "--root", Built(project), "--port", $"{port}", "--exit-with-stdin"], environment);
        _apps.Add(process);
        return new RunningApp(process, new Uri(await process.LineAsync("Ready: ")));
    }

    /// <summary>Everything on a subscription, with the official client; empties it.</summary>
    public Task<List<ReceivedEvent>> ReceiveAsync(string subscription, int max = int.MaxValue, int quietSeconds = 3) =>
        new BusReader(Bus, "events", max, TimeSpan.FromSeconds(quietSeconds)).ReadAsync(subscription);

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps) await app.DisposeAsync();
        if (_bus is not null) await _bus.DisposeAsync();
        if (_tables is not null) await _tables.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    private static string Built(string project) => Path.Combine(Repository.Root, "src", project, "bin", Repository.Configuration, "net10.0");

    private async Task StartTablesAsync()
    {
        _tables = ChildProcess.Start("node",
            ["infra/local/azurite.mjs", "--port", "0", "--location", Path.Combine(_data, "tables"), "--exit-with-stdin"]);
        Tables = await _tables.LineAsync("Tables: ");
    }
}

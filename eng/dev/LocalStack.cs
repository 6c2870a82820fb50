namespace Outpost.Dev;

/// <summary>
/// Runs everything on one machine, in one terminal: Azurite, the Service Bus emulator, and an app's worker on
/// LocalHost.
/// </summary>
/// <param name="shell">Starts the programs, and says when to stop.</param>
/// <param name="services">Folder of the Node services, with their packages installed.</param>
internal sealed class LocalStack(Shell shell, string services)
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(60);

    /// <summary>Runs until it is stopped. The app is built while the services start.</summary>
    /// <param name="options">Ports, partitions, and where state is kept.</param>
    /// <param name="build">Builds; returns the program of LocalHost and the folder of the built app.</param>
    /// <param name="companions">Further apps on the same services. Each is told where the first app is.</param>
    /// <exception cref="DevException">A port is taken, or a program ended by itself.</exception>
    public async Task<int> RunAsync(UpOptions options, Func<Task<(string LocalHost, string App)>> build, params IReadOnlyList<Companion> companions)
    {
        using var data = DataFolder.Open(options.Data);
        await using var tables = StartNode(
            "Azurite", "Tables: ", "azurite.mjs", "--port", $"{options.TablesPort}", "--location", data.PathOf("tables"));
        await using var bus = StartNode(
            "The Service Bus emulator",
            "Service Bus emulator: ",
            "servicebus/main.mjs",
            "--port",
            $"{options.BusPort}",
            "--config",
            "servicebus.config.json",
            "--data",
            data.PathOf("servicebus"));
        var (localHost, app) = await build();
        var tablesConnection = await ReadyAsync(tables);
        Console.WriteLine($"Tables: {tablesConnection}");
        var busConnection = await ReadyAsync(bus);
        Console.WriteLine($"Service Bus: {busConnection}");

        var settings = new Dictionary<string, string>
        {
            ["TableStorage"] = tablesConnection,
            ["ServiceBus"] = busConnection,
            ["FORWARDER_SCHEDULE"] = "* * * * * *",
            ["Outpost__PartitionCount"] = $"{options.Partitions}",
        };
        await using var functions = StartApp("LocalHost", localHost, app, options.Port, data.PathOf("functions"), settings);
        var address = await ReadyAsync(functions);
        var all = new List<LocalService> { tables, bus, functions };
        try
        {
            foreach (var companion in companions)
            {
                all.Add(StartApp(companion.Name, localHost, companion.App, companion.Port, data.PathOf(companion.Name), new(settings)
                {
                    ["Outpost__TableName"] = companion.Name,
                    ["Outpost__Source"] = $"/{companion.Name}",
                    ["Orders__Url"] = address,
                }));
                Console.WriteLine($"{companion.Name}: {await ReadyAsync(all[^1])}");
            }

            Console.WriteLine($"Dashboard: {address}/api/dashboard");
            Console.WriteLine($"Ready: {address}");
            var ended = await Task.WhenAny(all.Select(each => each.Ended)).WaitAsync(shell.Stopped);
            throw await all.Single(each => each.Ended == ended).DeathAsync(shell.Stopped);
        }
        finally
        {
            foreach (var companion in all[3..]) await companion.DisposeAsync();
        }
    }

    /// <exception cref="DevException">A port is taken.</exception>
    public static void RefuseTakenPorts(UpOptions options)
    {
        foreach (var (option, port) in options.Ports())
        {
            if (port == 0 || LocalPorts.IsFree(port)) continue;
            throw new DevException($"Port {port} is taken: choose another with {option} (0 = any free one).");
        }
    }

    private static LocalService StartApp(string name, string localHost, string app, int port, string data, Dictionary<string, string> settings) => LocalService.Start(
        name, "Ready: ", Path.GetDirectoryName(localHost)!,
        ["dotnet", localHost, "--root", app, "--port", $"{port}", "--data", data, "--exit-with-stdin"], settings);

    private LocalService StartNode(string name, string readyStart, string script, params string[] arguments) =>
        LocalService.Start(name, readyStart, services, ["node", script, .. arguments, "--exit-with-stdin"]);

    private Task<string> ReadyAsync(LocalService service) => service.ReadyAsync(StartsWithin, shell.Stopped);
}

/// <summary>An app beside the first one.</summary>
/// <param name="Name">Name of the app and of its table.</param>
/// <param name="App">Folder of the built app.</param>
/// <param name="Port">Port that it listens at; 0: any free port.</param>
internal sealed record Companion(string Name, string App, int Port);

namespace Outpost.Dev;

/// <summary>What a laptop needs, in one terminal: Azurite, the Service Bus emulator, and an app's worker on LocalHost.</summary>
/// <param name="shell">Starts them, and is told to stop.</param>
/// <param name="services">The folder of the Node services, installed.</param>
internal sealed class LocalStack(Shell shell, string services)
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(60);

    /// <summary>Runs until it is stopped; the app is built while the services start.</summary>
    /// <param name="options">Ports, partitions, and where state is kept.</param>
    /// <param name="build">Gives the program of LocalHost and the folder of the built app.</param>
    /// <exception cref="DevException">A port is taken, or one of them ended by itself.</exception>
    public async Task<int> RunAsync(UpOptions options, Func<Task<(string LocalHost, string App)>> build)
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

        await using var functions = LocalService.Start(
            "LocalHost",
            "Ready: ",
            Path.GetDirectoryName(localHost)!,
            ["dotnet", localHost, "--root", app, "--port", $"{options.Port}", "--data", data.PathOf("functions"), "--exit-with-stdin"],
            new Dictionary<string, string>
            {
                ["TableStorage"] = tablesConnection,
                ["ServiceBus"] = busConnection,
                ["FORWARDER_SCHEDULE"] = "* * * * * *",
                ["Outpost__PartitionCount"] = $"{options.Partitions}",
            });
        var address = await ReadyAsync(functions);
        Console.WriteLine($"Dashboard: {address}/api/dashboard");
        Console.WriteLine($"Ready: {address}");

        LocalService[] all = [tables, bus, functions];
        var ended = await Task.WhenAny(all.Select(each => each.Ended)).WaitAsync(shell.Stopped);
        throw await all.Single(each => each.Ended == ended).DeathAsync(shell.Stopped);
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

    private LocalService StartNode(string name, string readyStart, string script, params string[] arguments) =>
        LocalService.Start(name, readyStart, services, ["node", script, .. arguments, "--exit-with-stdin"]);

    private Task<string> ReadyAsync(LocalService service) => service.ReadyAsync(StartsWithin, shell.Stopped);
}

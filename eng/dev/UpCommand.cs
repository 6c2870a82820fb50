namespace Outpost.Dev;

/// <summary>Everything a laptop needs, in one terminal: Azurite, the Service Bus emulator and the functions.</summary>
internal sealed class UpCommand(Repository repository, Shell shell)
{
    private const string LocalHost = "src/LocalHost";
    private const string Functions = "src/Functions";
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(60);

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var options = UpOptions.Parse(arguments);
        if (StopSignal.ParentHasOption("--no-build")) options = options with { NoBuild = true };
        RefuseTakenPorts(options);
        var node = new NodePackages(shell);
        await node.EnsureNodeAsync();
        using var data = DataFolder.Open(options.Data);
        using (await repository.TakeTurnAsync(shell.Stopped)) await node.EnsureAsync(repository.LocalServices);

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
        var program = await BuildAsync(options.NoBuild);
        var tablesConnection = await ReadyAsync(tables);
        Console.WriteLine($"Tables: {tablesConnection}");
        var busConnection = await ReadyAsync(bus);
        Console.WriteLine($"Service Bus: {busConnection}");

        await using var functions = StartFunctions(program, options, data, tablesConnection, busConnection);
        var address = await ReadyAsync(functions);
        Console.WriteLine($"Dashboard: {address}/api/dashboard");
        Console.WriteLine($"Ready: {address}");

        LocalService[] all = [tables, bus, functions];
        var ended = await Task.WhenAny(all.Select(each => each.Ended)).WaitAsync(shell.Stopped);
        throw await all.Single(each => each.Ended == ended).DeathAsync(shell.Stopped);
    }

    private static void RefuseTakenPorts(UpOptions options)
    {
        foreach (var (option, port) in options.Ports())
        {
            if (port == 0 || LocalPorts.IsFree(port)) continue;
            throw new DevException($"Port {port} is taken: choose another with {option} (0 = any free one).");
        }
    }

    private LocalService StartNode(string name, string readyStart, string script, params string[] arguments) =>
        LocalService.Start(
            name, readyStart, repository.LocalServices, ["node", script, .. arguments, "--exit-with-stdin"]);

    /// <summary>Builds what changed, while the services start; gives the program.</summary>
    private async Task<string> BuildAsync(bool noBuild)
    {
        var program = Path.Combine(Output(LocalHost), "Outpost.LocalHost.dll");
        var inputs = new BuildInputs(repository, LocalHost);
        if (noBuild)
        {
            if (File.Exists(program)) return program;
            throw new DevException("Nothing is built yet: leave --no-build out once.");
        }

        using var turn = await repository.TakeTurnAsync(shell.Stopped);
        if (inputs.AreAsBuilt(program)) return program;
        var description = inputs.Describe();
        Console.WriteLine(File.Exists(program) ? "Building what has changed." : "Restoring packages and building; the first time takes minutes.");
        await new Build(repository, shell).RunAsync(LocalHost, Functions);
        inputs.Remember(description);
        return program;
    }

    private string Output(string project) => repository.PathOf(project, "bin", Build.Configuration, "net10.0");

    private LocalService StartFunctions(
        string program, UpOptions options, DataFolder data, string tablesConnection, string busConnection) =>
        LocalService.Start(
            "LocalHost",
            "Ready: ",
            Path.GetDirectoryName(program)!,
            ["dotnet", program, "--root", Output(Functions), "--port", $"{options.Port}", "--data", data.PathOf("functions"), "--exit-with-stdin"],
            new Dictionary<string, string>
            {
                ["TableStorage"] = tablesConnection,
                ["ServiceBus"] = busConnection,
                ["FORWARDER_SCHEDULE"] = "* * * * * *",
                ["Outpost__PartitionCount"] = $"{options.Partitions}",
            });

    private Task<string> ReadyAsync(LocalService service) => service.ReadyAsync(StartsWithin, shell.Stopped);
}

namespace Outpost.Dev;

/// <summary>The example app and everything that it needs, in one terminal.</summary>
internal sealed class UpCommand(Repository repository, Shell shell)
{
    private const string LocalHost = "src/LocalHost";
    private const string Functions = "src/Functions";

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var options = UpOptions.Parse(arguments);
        if (StopSignal.ParentHasOption("--no-build")) options = options with { NoBuild = true };
        LocalStack.RefuseTakenPorts(options);
        var node = new NodePackages(shell);
        await node.EnsureNodeAsync();
        using (await repository.TakeTurnAsync(shell.Stopped)) await node.EnsureAsync(repository.LocalServices);
        return await new LocalStack(shell, repository.LocalServices).RunAsync(
            options, async () => (await BuildAsync(options.NoBuild), Output(Functions)));
    }

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
}

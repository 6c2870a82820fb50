namespace Outpost.Dev;

/// <summary>Builds the product and runs the black box on it. Its output and exit code are passed on.</summary>
internal sealed class ProveCommand(Repository repository, Shell shell)
{
    private const string Program = "tests/BlackBox/main.mjs";

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var node = new NodePackages(shell);
        await node.EnsureNodeAsync();
        using (await repository.TakeTurnAsync(shell.Stopped))
        {
            await node.EnsureAsync(repository.LocalServices);
            await node.EnsureAsync(repository.PathOf("tests"));
            await new Build(repository, shell).RunAsync("src/LocalHost", "src/Functions", "src/Outpost.Cli");
        }

        var run = await shell.RunAsync("node", [repository.PathOf(Program), .. arguments], repository.Root, Console.WriteLine);
        return run.ExitCode;
    }
}

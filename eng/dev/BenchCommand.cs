namespace Outpost.Dev;

/// <summary>Builds and runs the benchmarks. Their output and their exit code are passed on.</summary>
internal sealed class BenchCommand(Repository repository, Shell shell)
{
    private const string Project = "tests/Benchmarks";

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var options = BenchOptions.Parse(arguments);
        var exitCode = options.PageOnly ? 0 : await MeasureAsync(options);
        if (exitCode == 0 && options.Page is { } page) ResultsPage.Write(options.Json!, page);
        return exitCode;
    }

    private async Task<int> MeasureAsync(BenchOptions options)
    {
        var node = new NodePackages(shell);
        await node.EnsureNodeAsync();
        using (await repository.TakeTurnAsync(shell.Stopped))
        {
            await node.EnsureAsync(repository.LocalServices);
            await new Build(repository, shell).RunAsync(Project);
        }

        var program = repository.PathOf(Project, "bin", Build.Configuration, "net10.0", "Outpost.Tests.Benchmarks.dll");
        var run = await shell.RunAsync("dotnet", [program, .. options.Arguments()], repository.Root, Console.WriteLine);
        return run.ExitCode;
    }
}

namespace Outpost.Dev;

/// <summary>Builds and runs the seeded simulation. Its options, output and exit code are its own.</summary>
internal sealed class SimulateCommand(Repository repository, Shell shell)
{
    private const string Project = "tests/Simulation";

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        using (await repository.TakeTurnAsync(shell.Stopped)) await new Build(repository, shell).RunAsync(Project);
        var program = repository.PathOf(Project, "bin", Build.Configuration, "net10.0", "Outpost.Tests.Simulation.dll");
        var run = await shell.RunAsync("dotnet", [program, .. arguments], repository.Root, Console.WriteLine);
        return run.ExitCode;
    }
}

namespace Outpost.Dev;

/// <summary>Restore and build, quiet unless they fail.</summary>
internal sealed class Build(Repository repository, Shell shell)
{
    public const string Configuration = "Release";
    private static readonly TimeSpan BuildsWithin = TimeSpan.FromMinutes(15);

    public async Task RunAsync(params string[] projects)
    {
        foreach (var project in projects)
        {
            var build = await shell.RunAsync(
                "dotnet",
                ["build", project, "-c", Configuration, "-v", "quiet", "-nologo", "-nodeReuse:false", "-clp:NoSummary"],
                repository.Root,
                within: BuildsWithin);
            if (build.Succeeded) continue;
            foreach (var line in build.Lines.Distinct()) Console.Error.WriteLine(line);
            throw new DevException(build.TimedOut
                ? $"Building {project} did not end within {BuildsWithin.TotalMinutes} minutes."
                : $"Building {project} failed; the messages above say where.");
        }
    }
}

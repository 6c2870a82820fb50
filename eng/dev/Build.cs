namespace Outpost.Dev;

/// <summary>Restores and builds, and prints nothing unless one of them fails.</summary>
internal sealed class Build(Repository repository, Shell shell)
{
    public const string Configuration = "Release";
    private static readonly TimeSpan BuildsWithin = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Builds for use on this machine. It leaves out the project of the host's extensions, which takes 10 s and 600 MB.
    /// </summary>
    public Task RunAsync(params string[] projects) => RunAsync(["-p:_FunctionsBuildEnabled=false"], projects);

    /// <summary>Builds everything as it is published.</summary>
    public Task RunWholeAsync(params string[] projects) => RunAsync([], projects);

    private async Task RunAsync(string[] options, string[] projects)
    {
        foreach (var project in projects)
        {
            var build = await shell.RunAsync(
                "dotnet",
                ["build", project, "-c", Configuration, "-v", "quiet", "-nologo", "-nodeReuse:false", "-clp:NoSummary", .. options],
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

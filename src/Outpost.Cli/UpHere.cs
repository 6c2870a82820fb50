using System.Reflection;
using Outpost.Dev;

namespace Outpost.Cli;

/// <summary><c>outpost up</c> runs the isolated Functions app of a folder, with everything that it needs.</summary>
internal sealed class UpHere(Shell shell, string folder)
{
    private static readonly TimeSpan BuildsWithin = TimeSpan.FromMinutes(15);

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var options = UpOptions.Parse(arguments);
        var project = Project(folder);
        LocalStack.RefuseTakenPorts(options);
        var node = new NodePackages(shell);
        await node.EnsureNodeAsync();
        var services = Services();
        await node.EnsureAsync(services);
        return await new LocalStack(shell, services).RunAsync(options, async () =>
        {
            if (!options.NoBuild) await BuildAsync(project);
            return (Path.Combine(AppContext.BaseDirectory, "Outpost.LocalHost.dll"), await OutputAsync(project));
        });
    }

    /// <exception cref="DevException">There is not exactly one project.</exception>
    internal static string Project(string folder) => Directory.GetFiles(folder, "*.csproj") switch
    {
        [var one] => one,
        [] => throw new DevException($"There is no project in {folder}: run outpost up in the folder of a Functions app."),
        var several => throw new DevException($"There are {several.Length} projects in {folder}: run outpost up in the folder of one Functions app."),
    };

    private async Task BuildAsync(string project)
    {
        Console.WriteLine($"Building {Path.GetFileName(project)}.");
        var build = await shell.RunAsync(
            "dotnet",
            // Skips the project of the host's extensions, which takes 10 s. LocalHost does not need them.
            ["build", project, "-c", "Debug", "-v", "quiet", "-nologo", "-nodeReuse:false", "-clp:NoSummary", "-p:_FunctionsBuildEnabled=false"],
            folder,
            within: BuildsWithin);
        if (build.Succeeded) return;
        foreach (var line in build.Lines.Distinct()) Console.Error.WriteLine(line);
        throw new DevException($"Building {Path.GetFileName(project)} failed; the messages above say where.");
    }

    private async Task<string> OutputAsync(string project)
    {
        var asked = await shell.RunAsync("dotnet", ["msbuild", project, "-getProperty:TargetDir", "-p:Configuration=Debug", "-nologo"], folder);
        var output = asked.Lines.Count > 0 ? asked.Lines[^1].Trim() : "";
        if (asked.Succeeded && File.Exists(Path.Combine(output, "host.json"))) return output;
        throw new DevException($"{Path.GetFileName(project)} has no built Functions app: it needs a host.json that is copied to the output, and a build (leave --no-build out).");
    }

    /// <summary>
    /// Copies the Node services to a folder where npm may install, once for each version of this tool. The tool's own
    /// folder may be read-only, and is deleted when another version is installed.
    /// </summary>
    private static string Services()
    {
        var own = Path.Combine(AppContext.BaseDirectory, "local");
        var version = typeof(UpHere).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        var home = Environment.GetEnvironmentVariable("OUTPOST_HOME") is { Length: > 0 } set
            ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".outpost");
        var services = Directory.CreateDirectory(Path.Combine(home, version, "local")).FullName;
        foreach (var file in Directory.EnumerateFiles(own, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(services, Path.GetRelativePath(own, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (!File.Exists(target) || File.GetLastWriteTimeUtc(target) != File.GetLastWriteTimeUtc(file)) File.Copy(file, target, overwrite: true);
        }

        return services;
    }
}

#!/usr/bin/env dotnet
#:property PublishAot=false
#:property UseSharedCompilation=false

// The project's one command-line tool: dotnet run dev.cs, and it says what it can do.
// Its code is the project eng/dev, so that it is small files with tests. This file builds that when it has changed,
// one at a time, and runs it in this process; nothing is built, and no time lost, when nothing has. No build leaves a
// compiler server behind, here or below: whatever a command starts ends with it.

using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

var root = (string?)AppContext.GetData("EntryPointFileDirectoryPath") ?? Environment.CurrentDirectory;
var project = Path.Combine(root, "eng", "dev");
var assembly = Path.Combine(project, "bin", "Release", "net10.0", "dev.dll");
var stamp = Path.Combine(project, "obj", "built"); // holds the names of what was built, its time is when that began
Process? build = null;

if (!IsBuilt())
{
    // Ctrl-C and SIGTERM end the build too, and are no failure.
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var oneAtATime = await LockAsync();
    if (!IsBuilt() && !await BuildAsync()) return 1;
}

// From a copy in memory: a later build can replace the file while this runs.
return (int)Assembly.Load(File.ReadAllBytes(assembly)).EntryPoint!
    .Invoke(null, BindingFlags.DoNotWrapExceptions, null, [args], null)!;

bool IsBuilt()
{
    if (!File.Exists(assembly) || !File.Exists(stamp)) return false;
    var began = File.GetLastWriteTimeUtc(stamp);
    return File.ReadAllText(stamp) == string.Join('\n', Sources())
        && Sources().All(file => File.GetLastWriteTimeUtc(file) < began);
}

IEnumerable<string> Sources()
{
    string[] shared = ["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json"];
    return Directory.GetFiles(project).Order().Concat(shared.Select(name => Path.Combine(root, name)));
}

async Task<bool> BuildAsync()
{
    var (began, sources) = (DateTime.UtcNow, string.Join('\n', Sources()));
    var output = new List<string>();
    string[] arguments = ["build", project, "-c", "Release", "-v", "quiet", "-nologo", "-nodeReuse:false"];
    var start = new ProcessStartInfo("dotnet", arguments)
    {
        RedirectStandardOutput = true,
        Environment = { ["UseSharedCompilation"] = "false", ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0" },
    };
    build = Process.Start(start)!;
    while (await build.StandardOutput.ReadLineAsync() is { } line) output.Add(line);
    await build.WaitForExitAsync();
    if (build.ExitCode == 0)
    {
        await File.WriteAllTextAsync(stamp, sources);
        File.SetLastWriteTimeUtc(stamp, began);
        return true;
    }

    output.ForEach(Console.Error.WriteLine);
    Console.Error.WriteLine("The tool itself (eng/dev) does not build; the messages above say why.");
    return false;
}

async Task<FileStream> LockAsync()
{
    Directory.CreateDirectory(Path.GetDirectoryName(stamp)!);
    while (true)
    {
        try
        {
            return new FileStream(stamp + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            await Task.Delay(200);
        }
    }
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    try
    {
        build?.Kill(entireProcessTree: true);
    }
    catch (InvalidOperationException)
    {
        // it has just ended
    }

    Environment.Exit(0);
}

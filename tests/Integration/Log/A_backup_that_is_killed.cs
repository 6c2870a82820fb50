using System.Diagnostics;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>The tool <c>outpost</c> as a process of its own, killed while it writes a backup: nothing half counts as whole.</summary>
public sealed class A_backup_that_is_killed
{
    private const int Kills = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Leaves_no_file_that_a_restore_takes_and_a_whole_one_is_taken()
    {
        await using var log = await TestLog.CreateAsync();
        // Far more than the file's buffer, so that it grows step by step.
        await Task.WhenAll(Enumerable.Range(0, 400).Select(i => log.Log.ExecuteAsync(Tallies.Count($"t{i}", new string('x', 10_000)), CancellationToken.None)));
        var folder = Directory.CreateTempSubdirectory("outpost-killed-").FullName;
        try
        {
            var whole = Path.Combine(folder, "whole");
            Assert.Equal((0, ""), await RunAsync(await BackupAsync(log, whole)));
            var (seed, size, left) = (Environment.TickCount, new FileInfo(whole).Length, 0);
            var random = new Random(seed);
            for (var kill = 0; kill < Kills; kill++)
            {
                var to = Path.Combine(folder, $"killed-{kill}");
                await KillAsync(await BackupAsync(log, to), to, random.NextInt64(size));
                // Under its own name there is a file only where the process was faster than its end, and then it is whole.
                foreach (var file in Directory.GetFiles(folder, $"killed-{kill}*"))
                {
                    var (code, said) = await RunAsync(await RestoreAsync(file));
                    // A kill between the last byte and the new name leaves a whole file under the old one.
                    var isWhole = file == to || EndOf(file) == EndOf(whole);
                    Assert.True(isWhole ? code == 0 : code == 1 && said.Length > 0, $"seed {seed}: restore of {file} ended with {code}: {said}");
                    if (!isWhole) left++;
                }
            }

            Assert.True(left > 0, $"seed {seed}: no kill came in time.");
            var restore = await RestoreAsync(whole);
            Assert.Equal((0, ""), await RunAsync(restore));
            Assert.Equal((0, ""), await RunAsync(["verify", .. restore[3..]]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The last line of a whole file is a checksum, which is another one for each file.
    private static (string Name, int Length) EndOf(string file)
    {
        var last = File.ReadLines(file).LastOrDefault() ?? "";
        return (last[..Math.Min(last.Length, "{\"sha256\":".Length)], last.Length);
    }

    private static async Task<string[]> BackupAsync(TestLog log, string to) =>
        ["backup", "--to", to, "--table", await Azurite.ConnectionStringAsync(), "--name", log.Table.Name];

    private static async Task<string[]> RestoreAsync(string from) =>
        ["restore", "--from", from, "--table", await Azurite.ConnectionStringAsync(), "--name", Azurite.NewTableName()];

    // As soon as the file has so many bytes.
    private static async Task KillAsync(string[] arguments, string to, long bytes)
    {
        using var process = Start(arguments);
        var said = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        using var patience = new CancellationTokenSource(Patience);
        while (!process.HasExited && !(new FileInfo(to + ".part") is { Exists: true } part && part.Length >= bytes)) await Task.Delay(1, patience.Token);
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(patience.Token);
        await Task.WhenAll(said, output);
    }

    // Its exit code, and what it said where that is not 0.
    private static async Task<(int Code, string Said)> RunAsync(string[] arguments)
    {
        using var process = Start(arguments);
        var (said, output) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Patience);
        return (process.ExitCode, process.ExitCode == 0 ? "" : await said + await output);
    }

    private static Process Start(string[] arguments) => Process.Start(new ProcessStartInfo("dotnet", [Tool(), .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static string Tool()
    {
        var bin = new DirectoryInfo(AppContext.BaseDirectory);
        var (framework, configuration) = (bin.Name, bin.Parent!.Name);
        var root = bin;
        while (!File.Exists(Path.Combine(root.FullName, "Functions.sln"))) root = root.Parent!;
        return Path.Combine(root.FullName, "src", "Outpost.Cli", "bin", configuration, framework, "Outpost.Cli.dll");
    }
}

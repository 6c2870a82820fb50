using System.ComponentModel;
using System.Diagnostics;
using Azure.Data.Tables;

namespace Outpost.Tests.Testing;

/// <summary>
/// One Azurite table service, in memory, for everything a test run asks of it. It is started at the first call and ends
/// with this process, however that ends: its standard input closes. Each test takes a table of its own, so all of them
/// run side by side.
/// </summary>
internal static class Azurite
{
    private const string ReadyPrefix = "Tables: ";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly Lazy<Task<string>> Started = new(StartAsync);

    /// <summary>Starts the service if need be.</summary>
    public static Task<string> ConnectionStringAsync() => Started.Value;

    /// <summary>A new, empty table that nothing else knows of.</summary>
    public static async Task<TableClient> NewTableAsync(TableClientOptions? options = null)
    {
        var table = new TableClient(await ConnectionStringAsync(), NewTableName(), options ?? new TableClientOptions());
        await table.CreateAsync();
        return table;
    }

    /// <summary>A valid table name that is in use nowhere.</summary>
    public static string NewTableName() => $"t{Guid.NewGuid():N}";

    private static async Task<string> StartAsync()
    {
        var process = Launch(LocalServicesFolder());
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Stop(process);
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var output = new List<string>();
        void OnLine(string? line)
        {
            if (line is null)
                return;
            if (line.StartsWith(ReadyPrefix, StringComparison.Ordinal))
                ready.TrySetResult(line[ReadyPrefix.Length..].Trim());
            lock (output)
                output.Add(line);
        }
        process.OutputDataReceived += (_, line) => OnLine(line.Data);
        process.ErrorDataReceived += (_, line) => OnLine(line.Data);
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("It ended at once."));
        process.EnableRaisingEvents = true;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            return await ready.Task.WaitAsync(StartTimeout);
        }
        catch (Exception e)
        {
            Stop(process);
            lock (output)
                throw new InvalidOperationException(string.Join('\n', [$"No Azurite: {e.Message}", .. output]), e);
        }
    }

    private static Process Launch(string folder)
    {
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "azurite")))
            throw new InvalidOperationException($"Azurite is not installed in {folder}: run: npm ci in infra/local");
        var start = new ProcessStartInfo("node", ["azurite.mjs", "--port", "0", "--in-memory", "--exit-with-stdin"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException("Azurite needs Node.js: the command 'node' could not be started.", e);
        }
    }

    private static string LocalServicesFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Functions.sln")))
                return Path.Combine(folder.FullName, "infra", "local");
        }
        throw new InvalidOperationException($"No folder with Functions.sln above {AppContext.BaseDirectory}.");
    }

    private static void Stop(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Outpost.Dev;

/// <summary>
/// Ctrl-C, SIGTERM, SIGHUP, or the end of the <c>dotnet run</c> that started this: all mean "stop all you started".
/// </summary>
internal sealed partial class StopSignal : IDisposable
{
    private static readonly TimeSpan LooksAtParentEvery = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly Timer? _parentWatch;

    public StopSignal()
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            _signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Stop();
            }));
        }

        // On Windows, dotnet run ends its children by itself.
        if (OperatingSystem.IsWindows()) return;
        var parent = ParentId();
        _parentWatch = new Timer(
            _ =>
            {
                if (ParentId() != parent) Stop();
            },
            null,
            LooksAtParentEvery,
            LooksAtParentEvery);
    }

    public CancellationToken Token => _stop.Token;

    /// <summary>
    /// Whether the <c>dotnet run</c> that started this was given <paramref name="option"/>. It keeps options that it
    /// knows, such as --no-build, unless they come after `--`.
    /// </summary>
    public static bool ParentHasOption(string option)
    {
        if (OperatingSystem.IsWindows()) return false;
        var start = new ProcessStartInfo("ps", ["-o", "args=", "-p", ParentId().ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
        };
        try
        {
            using var ps = Process.Start(start)!;
            var words = ps.StandardOutput.ReadToEnd().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return words.Contains(option);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // no ps here
        }
    }

    public void Dispose()
    {
        _parentWatch?.Dispose();
        _signals.ForEach(signal => signal.Dispose());
        _stop.Dispose();
    }

    private void Stop()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The process is ending anyway.
        }
    }

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int ParentId();
}

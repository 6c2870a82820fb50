using System.Diagnostics;

/// <summary>
/// Runs in the worker process before its own code: LocalHost names this assembly in DOTNET_STARTUP_HOOKS. A worker of the
/// real host outlives a host that is killed; this one ends with the other end of its standard input. Uses the runtime alone,
/// since nothing else that LocalHost has is in the worker's folder.
/// </summary>
internal static class StartupHook
{
    /// <summary>The worker waits until a debugger is attached to it, where this variable is 1.</summary>
    internal const string WaitForDebugger = "OUTPOST_WAIT_FOR_DEBUGGER";

    public static void Initialize()
    {
        // Processes that the worker starts are their own business. The runtime has read the list by now.
        Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", null);
        var watch = new Thread(EndWithTheHost) { IsBackground = true, Name = "ends with the host" };
        watch.Start();
        if (Environment.GetEnvironmentVariable(WaitForDebugger) != "1") return;
        while (!Debugger.IsAttached) Thread.Sleep(100);
    }

    private static void EndWithTheHost()
    {
        using var input = Console.OpenStandardInput();
        while (input.ReadByte() >= 0)
        {
        }

        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}

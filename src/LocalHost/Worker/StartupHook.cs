using System.Diagnostics;

/// <summary>
/// Runs in the worker process before the worker's own code, because LocalHost names this assembly in
/// DOTNET_STARTUP_HOOKS. With the real host, a worker outlives a host that is killed. This worker ends when the other
/// end of its standard input does. The class uses the runtime alone, because nothing else of LocalHost is in the
/// worker's folder.
/// </summary>
internal static class StartupHook
{
    /// <summary>Where this variable is 1, the worker waits until a debugger is attached to it.</summary>
    internal const string WaitForDebugger = "OUTPOST_WAIT_FOR_DEBUGGER";

    public static void Initialize()
    {
        // Processes that the worker starts must not get the hook. The runtime has read the list by now.
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

namespace Outpost.Tests.Testing;

internal static class CancellationInVirtualTime
{
    /// <summary>Cancels on this thread: <c>CancelAsync</c> would call those who wait from the thread pool.</summary>
    public static void CancelHere(this CancellationTokenSource source) => source.Cancel();
}

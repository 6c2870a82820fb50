namespace Outpost.Tests.Benchmarks;

/// <summary>Callers side by side, each with its next piece of work as soon as the last is answered.</summary>
internal static class Callers
{
    /// <summary>Does <paramref name="work"/> for each number below <paramref name="count"/>, once.</summary>
    public static Task RunAsync(int callers, int count, Func<int, Task> work)
    {
        var taken = -1;
        return Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(CallAsync)));

        async Task CallAsync()
        {
            while (Interlocked.Increment(ref taken) is var number && number < count) await work(number);
        }
    }
}

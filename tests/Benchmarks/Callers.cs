using System.Diagnostics;

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

    /// <summary>As <see cref="RunAsync"/>, and how long each piece of work took, in milliseconds, shortest first.</summary>
    public static async Task<double[]> TimeAsync(int callers, int count, Func<int, Task> work)
    {
        var took = new double[count];
        await RunAsync(callers, count, async number =>
        {
            var start = Stopwatch.GetTimestamp();
            await work(number);
            took[number] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        });
        Array.Sort(took);
        return took;
    }

    /// <summary>Waits until it is time for this piece of work, where so many begin each second.</summary>
    public static Task UntilDueAsync(long start, long number, int perSecond)
    {
        var due = TimeSpan.FromSeconds((double)number / perSecond) - Stopwatch.GetElapsedTime(start);
        return due > TimeSpan.Zero ? Task.Delay(due) : Task.CompletedTask;
    }

    /// <param name="sorted">Smallest first, at least one.</param>
    /// <param name="share">Such as 0.99.</param>
    public static double Percentile(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
}

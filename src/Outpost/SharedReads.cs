namespace Outpost;

/// <summary>
/// One read for all who ask for the same at the same time. Nobody is given what was read before he came: whoever finds
/// a read under way waits for it, and then for the next one, which all who came meanwhile share. Thread-safe.
/// </summary>
/// <typeparam name="TKey">What is asked for.</typeparam>
/// <typeparam name="T">What is read.</typeparam>
internal sealed class SharedReads<TKey, T>
    where TKey : notnull
{
    private readonly Dictionary<TKey, List<TaskCompletionSource<T>>> _underWay = [];

    /// <summary>Reads, or takes part in somebody else's reading.</summary>
    /// <param name="key">What is asked for.</param>
    /// <param name="read">Reads it. Runs to its end even when whoever began it leaves, since others may wait for it.</param>
    /// <param name="isForGood">True for a result that no later read can change: it may have been begun before the caller came.</param>
    /// <param name="cancellationToken">Ends this caller's wait only.</param>
    public async Task<T> ReadAsync(TKey key, Func<Task<T>> read, Func<T, bool> isForGood, CancellationToken cancellationToken)
    {
        var (reading, isOwn) = Join(key, read);
        var result = await WaitAsync(reading, cancellationToken);
        return isOwn || isForGood(result) ? result : await WaitAsync(Join(key, read).Reading, cancellationToken);
    }

    // Each waits by himself: they go on side by side, on the scheduler they came from.
    private (TaskCompletionSource<T> Reading, bool IsOwn) Join(TKey key, Func<Task<T>> read)
    {
        var reading = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_underWay)
        {
            if (_underWay.TryGetValue(key, out var waiting))
            {
                waiting.Add(reading);
                return (reading, false);
            }

            _underWay.Add(key, [reading]);
        }

        _ = ReadAsync(key, read);
        return (reading, true);
    }

    private static async Task<T> WaitAsync(TaskCompletionSource<T> reading, CancellationToken cancellationToken)
    {
        using var leaving = cancellationToken.UnsafeRegister(static (reading, token) => ((TaskCompletionSource<T>)reading!).TrySetCanceled(token), reading);
        return await reading.Task;
    }

    private async Task ReadAsync(TKey key, Func<Task<T>> read)
    {
        try
        {
            var result = await read();
            foreach (var waiting in End(key)) waiting.TrySetResult(result);
        }
#pragma warning disable CA1031 // Handed to all who wait.
        catch (Exception e)
#pragma warning restore CA1031
        {
            foreach (var waiting in End(key)) waiting.TrySetException(e);
        }
    }

    // Before the result is there: who comes now must not get it.
    private List<TaskCompletionSource<T>> End(TKey key)
    {
        lock (_underWay)
        {
            _underWay.Remove(key, out var waiting);
            return waiting!;
        }
    }
}

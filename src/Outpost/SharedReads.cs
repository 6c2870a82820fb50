namespace Outpost;

/// <summary>
/// Shares one read among all callers that ask for the same thing at the same time. No caller gets a result that was read before it
/// came. A caller that finds a read under way waits for it, and then for the next one, which all callers that came meanwhile
/// share. Thread-safe.
/// </summary>
/// <typeparam name="TKey">Type of the key that callers ask for.</typeparam>
/// <typeparam name="T">Type of the result.</typeparam>
internal sealed class SharedReads<TKey, T>
    where TKey : notnull
{
    private readonly Dictionary<TKey, List<TaskCompletionSource<T>>> _underWay = [];

    /// <summary>Reads, or joins another caller's read.</summary>
    /// <param name="key">What the caller asks for.</param>
    /// <param name="read">Does the read. It runs to its end even if the caller that began it leaves, since others may wait for it.</param>
    /// <param name="isForGood">Whether a result stays right, so that it may come from a read that began before the caller came.</param>
    /// <param name="cancellationToken">Ends this caller's wait only.</param>
    public async Task<T> ReadAsync(TKey key, Func<Task<T>> read, Func<T, bool> isForGood, CancellationToken cancellationToken)
    {
        var (reading, isOwn) = Join(key, read);
        var result = await WaitAsync(reading, cancellationToken);
        return isOwn || isForGood(result) ? result : await WaitAsync(Join(key, read).Reading, cancellationToken);
    }

    // Each caller has its own completion, so all go on side by side, each on its own scheduler.
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
#pragma warning disable CA1031 // The exception goes to all who wait.
        catch (Exception e)
#pragma warning restore CA1031
        {
            foreach (var waiting in End(key)) waiting.TrySetException(e);
        }
    }

    // Called before the result is handed out, so that a caller that comes now does not get it.
    private List<TaskCompletionSource<T>> End(TKey key)
    {
        lock (_underWay)
        {
            _underWay.Remove(key, out var waiting);
            return waiting!;
        }
    }
}

namespace Outpost;

/// <summary>
/// One read for all who ask for the same at the same time. Nobody is given what was read before he came: whoever finds
/// a read under way waits for it, and then for the next one, which all who came meanwhile share. Thread-safe.
/// </summary>
/// <typeparam name="TKey">What is asked for.</typeparam>
/// <typeparam name="T">What is read.</typeparam>
public sealed class SharedReads<TKey, T>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Task<T>> _underWay = [];

    /// <summary>Reads, or takes part in somebody else's reading.</summary>
    /// <param name="key">What is asked for.</param>
    /// <param name="read">Reads it. Runs to its end even when whoever began it leaves, since others may wait for it.</param>
    /// <param name="isForGood">True for a result that no later read can change: it may have been begun before the caller came.</param>
    /// <param name="cancellationToken">Ends this caller's wait only.</param>
    public async Task<T> ReadAsync(TKey key, Func<Task<T>> read, Func<T, bool> isForGood, CancellationToken cancellationToken)
    {
        var (reading, isOwn) = Join(key, read);
        var result = await reading.WaitAsync(cancellationToken);
        return isOwn || isForGood(result) ? result : await Join(key, read).Reading.WaitAsync(cancellationToken);
    }

    private (Task<T> Reading, bool IsOwn) Join(TKey key, Func<Task<T>> read)
    {
        var own = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_underWay)
        {
            if (_underWay.TryGetValue(key, out var others)) return (others, false);
            _underWay.Add(key, own.Task);
        }

        _ = ReadAsync(key, read, own);
        return (own.Task, true);
    }

    private async Task ReadAsync(TKey key, Func<Task<T>> read, TaskCompletionSource<T> reading)
    {
        try
        {
            var result = await read();
            Leave(key);
            reading.SetResult(result);
        }
#pragma warning disable CA1031 // Handed to all who wait.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Leave(key);
            reading.SetException(e);
            // They may all have gone.
            _ = reading.Task.Exception;
        }
    }

    // Before the result is there: who comes now must not get it.
    private void Leave(TKey key)
    {
        lock (_underWay) _underWay.Remove(key);
    }
}

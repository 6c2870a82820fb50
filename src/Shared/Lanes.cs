namespace Outpost.Client;

/// <summary>
/// Runs work side by side, but work of one subject one after the other, in the order in which it was given.
/// Thread-safe.
/// </summary>
/// <param name="atOnce">How many pieces of work may run at the same time.</param>
internal sealed class Lanes(int atOnce) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Task> _last = [];
    private readonly SemaphoreSlim _room = new(atOnce, atOnce);

    /// <summary>
    /// Begins when the earlier work of this subject is done. Where that failed, this work does not begin and fails too,
    /// so that nothing overtakes.
    /// </summary>
    public Task RunAsync(string subject, Func<Task> work)
    {
        lock (_lock)
        {
            // The work runs on another thread, so that the caller can give more.
            var before = _last.GetValueOrDefault(subject);
            var mine = Task.Run(() => AfterAsync(before, work));
            _last[subject] = mine;
            _ = mine.ContinueWith(ended => Forget(subject, ended), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            return mine;
        }
    }

    /// <summary>Completes when all work so far is done or has failed.</summary>
    public async Task EndedAsync()
    {
        Task[] all;
        lock (_lock) all = [.. _last.Values];
        await Task.WhenAll(all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _room.Dispose();

    private async Task AfterAsync(Task? before, Func<Task> work)
    {
        if (before is not null) await before;
        await _room.WaitAsync();
        try
        {
            await work();
        }
        finally
        {
            _room.Release();
        }
    }

    private void Forget(string subject, Task ended)
    {
        lock (_lock)
        {
            if (_last.GetValueOrDefault(subject) == ended) _last.Remove(subject);
        }
    }
}

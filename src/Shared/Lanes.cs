namespace Outpost.Client;

/// <summary>Does work side by side, and of each subject one after the other, in the order in which it was given. Thread-safe.</summary>
/// <param name="atOnce">How much at the same time.</param>
internal sealed class Lanes(int atOnce) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Task> _last = [];
    private readonly SemaphoreSlim _room = new(atOnce, atOnce);

    /// <summary>Begins when what was given before for this subject is done. Where that failed, this is not begun and fails as well: nothing overtakes it.</summary>
    public Task RunAsync(string subject, Func<Task> work)
    {
        lock (_lock)
        {
            // On a thread of its own: whoever gives work goes on.
            var before = _last.GetValueOrDefault(subject);
            var mine = Task.Run(() => AfterAsync(before, work));
            _last[subject] = mine;
            _ = mine.ContinueWith(ended => Forget(subject, ended), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            return mine;
        }
    }

    /// <summary>When all that was given is done, or has failed.</summary>
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

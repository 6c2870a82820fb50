namespace Outpost.Tables;

/// <summary>
/// Limits how many bytes may be in memory at once. A caller waits, in the order of arrival, until others give theirs back.
/// Thread-safe.
/// </summary>
internal sealed class ByteBudget(long bytes)
{
    private readonly Lock _lock = new();
    private readonly Queue<(long Bytes, TaskCompletionSource Turn)> _waiting = new();
    private long _left = bytes;

    /// <summary>Waits until this many bytes are free, and takes them. To give them back, dispose the result. The token bounds the wait.</summary>
    public async Task<IDisposable> TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_waiting.Count == 0 && bytes <= _left)
            {
                _left -= bytes;
                return new Share(this, bytes);
            }

            _waiting.Enqueue((bytes, turn));
        }

        using var leaving = cancellationToken.UnsafeRegister(static (turn, token) => ((TaskCompletionSource)turn!).TrySetCanceled(token), turn);
        await turn.Task;
        return new Share(this, bytes);
    }

    private void Give(long bytes)
    {
        lock (_lock)
        {
            _left += bytes;
            // A caller that was cancelled meanwhile took nothing.
            while (_waiting.TryPeek(out var first) && (first.Turn.Task.IsCompleted || first.Bytes <= _left))
            {
                _waiting.Dequeue();
                if (first.Turn.TrySetResult()) _left -= first.Bytes;
            }
        }
    }

    private sealed class Share(ByteBudget budget, long bytes) : IDisposable
    {
        private int _isGiven;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isGiven, 1) == 0) budget.Give(bytes);
        }
    }
}

namespace Outpost.Tables;

/// <summary>Bytes that may be in memory at once. Whoever asks for some waits until others gave theirs back, in turn. Thread-safe.</summary>
internal sealed class ByteBudget(long bytes)
{
    private readonly Lock _lock = new();
    private readonly Queue<(long Bytes, TaskCompletionSource Turn)> _waiting = new();
    private long _left = bytes;

    /// <summary>Waits for so many bytes; the token bounds the wait.</summary>
    public async Task TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_waiting.Count == 0 && bytes <= _left)
            {
                _left -= bytes;
                return;
            }

            _waiting.Enqueue((bytes, turn));
        }

        using var leaving = cancellationToken.UnsafeRegister(static (turn, token) => ((TaskCompletionSource)turn!).TrySetCanceled(token), turn);
        await turn.Task;
    }

    /// <summary>Gives back what was taken.</summary>
    public void Give(long bytes)
    {
        lock (_lock)
        {
            _left += bytes;
            // Whoever left meanwhile has nothing to give back.
            while (_waiting.TryPeek(out var first) && (first.Turn.Task.IsCompleted || first.Bytes <= _left))
            {
                _waiting.Dequeue();
                if (first.Turn.TrySetResult()) _left -= first.Bytes;
            }
        }
    }
}

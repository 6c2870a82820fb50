namespace Outpost;

/// <summary>
/// Turns on a contended entity. Commands that lose a race on one entity within this process would lose again and again,
/// since only one of them can win each time: from the first loss on they go one after the other, first come first.
/// </summary>
internal sealed class EntityTurns(TimeProvider time)
{
    private readonly Lock _lock = new();

    // An entity is here while somebody has the turn; the list is who waits for it, longest first.
    private readonly Dictionary<(int Partition, string Subject), LinkedList<TaskCompletionSource<bool>>> _waiting = [];

    /// <summary>Whether somebody has a turn on the entity: then a newcomer takes one at once.</summary>
    public bool IsContended((int Partition, string Subject) entity)
    {
        lock (_lock) return _waiting.ContainsKey(entity);
    }

    /// <summary>
    /// Waits for a turn; disposing the answer gives it to the next. Null: too many wait already
    /// (<see cref="Limits.EntityWaitersMax"/>), or it took too long (<see cref="Limits.QueueWaitMax"/>).
    /// </summary>
    public async Task<IDisposable?> TakeAsync((int Partition, string Subject) entity, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LinkedListNode<TaskCompletionSource<bool>> place;
        lock (_lock)
        {
            if (!_waiting.TryGetValue(entity, out var waiting))
            {
                _waiting[entity] = [];
                return new Turn(this, entity);
            }

            if (waiting.Count >= Limits.EntityWaitersMax) return null;
            place = waiting.AddLast(new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        // Turn, timeout and cancellation may come at once: whoever takes the place out of the line has decided.
        using var timeout = time.CreateTimer(_ => Leave(place)?.SetResult(false), null, Limits.QueueWaitMax, Timeout.InfiniteTimeSpan);
        using var cancellation = cancellationToken.UnsafeRegister((_, token) => Leave(place)?.SetCanceled(token), null);
        return await place.Value.Task ? new Turn(this, entity) : null;
    }

    private TaskCompletionSource<bool>? Leave(LinkedListNode<TaskCompletionSource<bool>> place)
    {
        lock (_lock)
        {
            if (place.List is not { } waiting) return null;
            waiting.Remove(place);
            return place.Value;
        }
    }

    private void GiveToNext((int Partition, string Subject) entity)
    {
        LinkedListNode<TaskCompletionSource<bool>>? next;
        lock (_lock)
        {
            var waiting = _waiting[entity];
            next = waiting.First;
            if (next is null) _waiting.Remove(entity);
            else waiting.RemoveFirst();
        }

        next?.Value.SetResult(true);
    }

    private sealed class Turn(EntityTurns turns, (int Partition, string Subject) entity) : IDisposable
    {
        public void Dispose() => turns.GiveToNext(entity);
    }
}

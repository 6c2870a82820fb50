namespace Outpost;

/// <summary>
/// Turns on a contended entity. Only one command at a time can win the race on an entity, so in a crowd the others would lose again
/// and again. From their first loss on, the commands of this process go one after the other, in the order in which they came.
/// </summary>
internal sealed class EntityTurns(TimeProvider time)
{
    private readonly Lock _lock = new();

    // An entity is here while a command has its turn. The list holds the commands that wait for it, longest first.
    private readonly Dictionary<(int Partition, string Subject), LinkedList<TaskCompletionSource<bool>>> _waiting = [];

    /// <summary>Whether a command has a turn on the entity. If so, a newcomer waits for a turn at once.</summary>
    public bool IsContended((int Partition, string Subject) entity)
    {
        lock (_lock) return _waiting.ContainsKey(entity);
    }

    /// <summary>
    /// Waits for a turn. Disposing the result passes the turn on. Null if too many wait already
    /// (<see cref="Limits.EntityWaitersMax"/>), or if the wait took too long (<see cref="Limits.QueueWaitMax"/>).
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

        // Turn, timeout and cancellation may come at the same moment. The one that takes the place out of the line decides.
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

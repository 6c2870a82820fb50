namespace Outpost;

/// <summary>
/// Turns on a contended entity. Commands that lose a race on one entity within this process would lose again and again,
/// since only one of them can win each time: from the first loss on they go one after the other, first come first.
/// </summary>
internal sealed class EntityTurns
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(int Partition, string Subject), Turn> _turns = [];

    /// <summary>Whether somebody has a turn on the entity: then a newcomer takes one at once.</summary>
    public bool IsContended((int Partition, string Subject) entity)
    {
        lock (_lock) return _turns.ContainsKey(entity);
    }

    /// <summary>
    /// Waits for a turn; disposing the answer gives it to the next. Null: too many wait already
    /// (<see cref="Limits.EntityWaitersMax"/>), or it took too long (<see cref="Limits.QueueWaitMax"/>).
    /// </summary>
    public async Task<IDisposable?> TakeAsync((int Partition, string Subject) entity, CancellationToken cancellationToken)
    {
        Turn? turn;
        lock (_lock)
        {
            if (!_turns.TryGetValue(entity, out turn)) _turns[entity] = turn = new Turn();
            if (turn.Users > Limits.EntityWaitersMax) return null;
            turn.Users++;
        }

        try
        {
            if (await turn.Free.WaitAsync(Limits.QueueWaitMax, cancellationToken)) return new Taken(this, entity, turn);
        }
        catch (OperationCanceledException)
        {
            Leave(entity, turn);
            throw;
        }

        Leave(entity, turn);
        return null;
    }

    private void Leave((int Partition, string Subject) entity, Turn turn)
    {
        lock (_lock)
        {
            if (--turn.Users > 0) return;
            _turns.Remove(entity);
        }

        turn.Free.Dispose();
    }

    private sealed class Turn
    {
        public SemaphoreSlim Free { get; } = new(1, 1);

        public int Users { get; set; }
    }

    private sealed class Taken(EntityTurns turns, (int Partition, string Subject) entity, Turn turn) : IDisposable
    {
        public void Dispose()
        {
            turn.Free.Release();
            turns.Leave(entity, turn);
        }
    }
}

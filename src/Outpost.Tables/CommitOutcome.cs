namespace Outpost.Tables;

/// <summary>Finds out what became of a transaction whose answer is missing, or may belong to a repeat and not to the first attempt.</summary>
internal sealed class CommitOutcome(StoreCalls calls, string partitionKey, TimeProvider time)
{
    private static readonly TimeSpan BetweenReads = TimeSpan.FromMilliseconds(250);
    private const int RoundsMax = 4;

    public Task<HeadRow> ReadHeadAsync(CancellationToken cancellationToken) => calls.ReachAsync(
        async end => await calls.FindAsync(partitionKey, Keys.Head, end) is { } row ? HeadRow.Read(row) : HeadRow.Empty, cancellationToken);

    /// <summary>Whether there is an entry right below the head, or retention has deleted it.</summary>
    /// <exception cref="DamagedRowException">There is no such entry.</exception>
    public Task<bool> CheckAsync(HeadRow head, CancellationToken cancellationToken) => calls.ReachAsync(
        async end =>
        {
            if (await calls.FindAsync(partitionKey, Keys.Event(head.Next - 1), end, "Commit") is not null) return true;
            // Retention moves this mark before it deletes anything.
            var oldest = await calls.FindAsync(partitionKey, Keys.Oldest, end) is { } row ? OldestRow.Read(row).Oldest : 0;
            if (oldest >= head.Next) return true;
            // Azurite shows a head a moment before its entries.
            await Task.Delay(BetweenReads, time, end);
            return await calls.FindAsync(partitionKey, Keys.Event(head.Next - 1), end, "Commit") is not null
                ? true
                : throw new DamagedRowException(partitionKey, Keys.Head, "Next", $"is {head.Next}, and there is no entry {head.Next - 1}");
        },
        cancellationToken);

    /// <summary>
    /// Reads the head and the list's first event row at the same time. Our commit id in that row means committed. An unmoved head means
    /// not committed yet. Another commit's row there means that this list can never land. While the table cannot be read, asks again
    /// until <see cref="Limits.OutcomeWaitMax"/> after <paramref name="start"/>.
    /// </summary>
    public async Task<Found> FindAsync(RowList rows, Sources sources, long start, CancellationToken cancellationToken)
    {
        for (var round = 1; ; round++)
        {
            try
            {
                var headRead = ReadHeadAsync(cancellationToken);
                var first = await ReadCommitAsync(rows.Before.Next, cancellationToken);
                if (Judge(rows, await headRead, first, lastRound: round >= RoundsMax) is { } found) return found;
            }
            catch (Exception e) when (TableErrors.IsTransient(e, cancellationToken) && !TableErrors.IsHopeless(e))
            {
                if (sources.Time.GetElapsedTime(start) >= Limits.OutcomeWaitMax) return new Found.Unknown();
            }
            catch (Exception)
            {
                // The app may no longer read, the table is gone, or the time is up. The outcome cannot be told, and asking again
                // would not help.
                return new Found.Unknown();
            }

            await Task.Delay(BetweenReads, sources.Time, CancellationToken.None);
        }
    }

    private Task<string?> ReadCommitAsync(long offset, CancellationToken cancellationToken) => calls.ReachAsync(
        async end => (await calls.FindAsync(partitionKey, Keys.Event(offset), end, "Commit"))?.TextOrNull("Commit"), cancellationToken);

    /// <summary>
    /// What two point reads say; null if they have to be read again. They are not of one moment, so either may be older than the other.
    /// A store without isolation (Azurite) shows a moved head before the rows that belong to it.
    /// </summary>
    /// <param name="rows">The list in question.</param>
    /// <param name="head">The head as read.</param>
    /// <param name="commitAtFirstOffset">Commit id in the event row at the list's first offset; null if there is no such row.</param>
    /// <param name="lastRound">Whether this is the last read.</param>
    internal static Found? Judge(RowList rows, HeadRow head, string? commitAtFirstOffset, bool lastRound)
    {
        var headIsOurs = head.Commit == rows.CommitId;
        var headMoved = head.Tag != rows.Before.Tag || head.Next != rows.Before.Next;
        if (commitAtFirstOffset == rows.CommitId) return new Found.Committed(headIsOurs ? head : null);
        if (commitAtFirstOffset is not null) return new Found.Overtaken(headMoved && !headIsOurs ? head : null, commitAtFirstOffset);
        if (!headMoved) return new Found.NotThere();
        // The head was written again, and not by a commit, which would have moved the offset. So the list had not landed, and never will.
        if (head.Tag is not null && head.Next == rows.Before.Next) return new Found.Fenced(head);
        // The head moved and the row is missing. Either it was read too early, or retention has deleted it.
        if (!lastRound) return null;
        return headIsOurs ? new Found.Committed(head) : new Found.Unknown();
    }

    /// <summary>What was found.</summary>
    internal abstract record Found
    {
        /// <summary>The list is in the log. Holds the head, if the reads told it.</summary>
        internal sealed record Committed(HeadRow? Head) : Found;

        /// <summary>The list is not in the log, but an attempt under way may still land.</summary>
        internal sealed record NotThere : Found;

        /// <summary>Another commit, named here, took the list's offsets. The list is not in the log, and never will be.</summary>
        internal sealed record Overtaken(HeadRow? Head, string Commit) : Found;

        /// <summary>The log grew, and wrote the head that the list was built on. The list is not in the log, and never will be.</summary>
        internal sealed record Fenced(HeadRow Head) : Found;

        /// <summary>The outcome can no longer be told.</summary>
        internal sealed record Unknown : Found;
    }
}

namespace Outpost.Tables;

/// <summary>Finds out what became of a transaction whose answer is missing or may not be about the first attempt.</summary>
internal sealed class CommitOutcome(StoreCalls calls, string partitionKey, TimeProvider time)
{
    private static readonly TimeSpan BetweenReads = TimeSpan.FromMilliseconds(250);
    private const int RoundsMax = 4;

    public Task<HeadRow> ReadHeadAsync(CancellationToken cancellationToken) => calls.ReachAsync(
        async end => await calls.FindAsync(partitionKey, Keys.Head, end) is { } row ? HeadRow.Read(row) : HeadRow.Empty, cancellationToken);

    /// <summary>Whether there is an entry right below the head, or retention has deleted it.</summary>
    /// <exception cref="DamagedRowException">There is none.</exception>
    public Task<bool> CheckAsync(HeadRow head, CancellationToken cancellationToken) => calls.ReachAsync(
        async end =>
        {
            if (await calls.FindAsync(partitionKey, Keys.Event(head.Next - 1), end, "Commit") is not null) return true;
            // Moved before anything is deleted.
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
    /// Reads head and the list's first event row at once. Our commit id in that row means committed; an unmoved head
    /// means not (yet); somebody else's row there means that this list can never land any more. While the table cannot
    /// be read, asks again until <see cref="Limits.OutcomeWaitMax"/> after <paramref name="start"/>.
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
                // Not allowed to read what it was allowed to write, no table any more, or no time: it cannot be told, and
                // asking again would not help.
                return new Found.Unknown();
            }

            await Task.Delay(BetweenReads, sources.Time, CancellationToken.None);
        }
    }

    private Task<string?> ReadCommitAsync(long offset, CancellationToken cancellationToken) => calls.ReachAsync(
        async end => (await calls.FindAsync(partitionKey, Keys.Event(offset), end, "Commit"))?.TextOrNull("Commit"), cancellationToken);

    /// <summary>
    /// What two point reads say; null: read again. The two are not one moment, so each may be older than the other,
    /// and a store without isolation (Azurite) shows a moved head before the rows that belong to it.
    /// </summary>
    /// <param name="rows">The list in question.</param>
    /// <param name="head">The head as read.</param>
    /// <param name="commitAtFirstOffset">Commit id in the event row at the list's first offset; null: no such row.</param>
    /// <param name="lastRound">Whether there are no more reads to come.</param>
    internal static Found? Judge(RowList rows, HeadRow head, string? commitAtFirstOffset, bool lastRound)
    {
        var headIsOurs = head.Commit == rows.CommitId;
        var headMoved = head.Tag != rows.Before.Tag || head.Next != rows.Before.Next;
        if (commitAtFirstOffset == rows.CommitId) return new Found.Committed(headIsOurs ? head : null);
        if (commitAtFirstOffset is not null) return new Found.Overtaken(headMoved && !headIsOurs ? head : null, commitAtFirstOffset);
        if (!headMoved) return new Found.NotThere();
        // Written again, and not by a commit, which would have moved the offset: the list was not there then, and never will be.
        if (head.Tag is not null && head.Next == rows.Before.Next) return new Found.Fenced(head);
        // The head moved and the row is missing: read too early, or retention deleted it already.
        if (!lastRound) return null;
        return headIsOurs ? new Found.Committed(head) : new Found.Unknown();
    }

    /// <summary>What was found.</summary>
    internal abstract record Found
    {
        /// <summary>It is in the log; the head, where the reads told it.</summary>
        internal sealed record Committed(HeadRow? Head) : Found;

        /// <summary>It is not in the log, but an attempt under way may still land.</summary>
        internal sealed record NotThere : Found;

        /// <summary>Another commit, named here, took its offsets: it is not in the log and never will be.</summary>
        internal sealed record Overtaken(HeadRow? Head, string Commit) : Found;

        /// <summary>The log grew, and wrote the head that it was built on: it is not in the log and never will be.</summary>
        internal sealed record Fenced(HeadRow Head) : Found;

        /// <summary>It can no longer be told.</summary>
        internal sealed record Unknown : Found;
    }
}

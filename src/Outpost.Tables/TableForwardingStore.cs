using Azure;
using Azure.Data.Tables;
using Outpost.Forwarding;

namespace Outpost.Tables;

/// <summary>Keeps checkpoints, requests of operators, wishes and parked entries in the log's own table. Thread-safe.</summary>
internal sealed class TableForwardingStore(TableClient table, Sources sources, StoreProblems? problems = null) : IForwardingStore
{
    private readonly StoreCalls _calls = new(table, sources.Time, problems);

    // After this many tries, the caller's deadline is near.
    private const int TriesMax = 5;

    /// <inheritdoc/>
    public Task<Checkpoint?> SaveAsync(
        int partition,
        Checkpoint checkpoint,
        IReadOnlyList<ParkedEntry> park,
        IReadOnlyList<long> unpark,
        CancellationToken cancellationToken) =>
        SaveAsync(partition, checkpoint, end => WriteAsync(partition, checkpoint, park, unpark, end), cancellationToken);

    /// <inheritdoc/>
    public Task<Checkpoint?> BeginAsync(PartitionState state, Checkpoint checkpoint, CancellationToken cancellationToken) => SaveAsync(
        state.Partition,
        checkpoint,
        async end =>
        {
            var row = CheckpointRow.Write(Keys.Partition(state.Partition), checkpoint);
            return (await table.CommitAsync([new TableTransactionAction(TableTransactionActionType.Add, row), Untrimmed(state)], end)).ToString();
        },
        cancellationToken);

    private async Task<Checkpoint?> SaveAsync(
        int partition, Checkpoint checkpoint, Func<CancellationToken, Task<string>> write, CancellationToken cancellationToken)
    {
        var start = sources.Time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            Exception refusal;
            try
            {
                return checkpoint with { Tag = await _calls.ReachAsync(write, cancellationToken) };
            }
            catch (Exception e) when (IsUnclear(e, cancellationToken))
            {
                refusal = e;
            }

            // The answer was lost, or our own first write refused the pipeline's retry. The stored row tells whose write it is.
            var stored = await ReadAsync(partition, checkpoint.Forwarder, cancellationToken);
            if (stored is not null && checkpoint.IsSameWrite(stored)) return stored;
            // There is no checkpoint yet, but the write was refused: the other row of its transaction has changed.
            if (stored?.Tag != checkpoint.Tag || (stored is null && refusal is RequestFailedException changed && IsChanged(changed))) return null;
            // The row has not changed, so the same write is tried again. Only one of the two can land.
            if (TableErrors.IsHopeless(refusal)) throw refusal;
            if (attempt == TriesMax || TableErrors.IsRefusal(refusal) || sources.Time.GetElapsedTime(start) >= Limits.StoreCallMax) throw Unavailable(refusal);
            await Task.Delay(TimeSpan.FromMilliseconds(50 * attempt * (0.5 + sources.NextRandom())), sources.Time, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ParkedEntry>> ReadParkedAsync(
        int partition, string forwarder, long fromOffset, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, Limits.PageEntriesMax);
        return _calls.ReachAsync<IReadOnlyList<ParkedEntry>>(
            async end =>
            {
                var entries = new List<ParkedEntry>();
                await foreach (var row in _calls.RowsAsync(
                    Keys.Partition(partition), Keys.Parked(forwarder, fromOffset), Keys.ParkedEnd(forwarder), limit, null, end))
                {
                    entries.Add(ParkedRow.Read(row, partition));
                    if (entries.Count == limit) break;
                }

                return entries;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> SaveControlAsync(
        int partition, string forwarder, Control control, PartitionState? untrimmedSince, CancellationToken cancellationToken)
    {
        var row = ControlRow.Write(Keys.Partition(partition), forwarder, control);
        try
        {
            await _calls.ReachAsync(
                end => untrimmedSince is { } state ? table.SubmitAsync([Write(row, control.Tag), Untrimmed(state)], end)
                    : control.Tag is { } tag ? AnswerAsync(table.UpdateEntityAsync(row, new ETag(tag), TableUpdateMode.Replace, end))
                    : AnswerAsync(table.AddEntityAsync(row, end)),
                cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (IsChanged(e))
        {
            // The change may be our own write, which the pipeline sent twice. The caller may ask again: a replay is recognised
            // by its id, and any other request does no harm twice.
            return false;
        }
    }

    /// <inheritdoc/>
    public Task WishAsync(int partition, string forwarder, LeaseWish wish, CancellationToken cancellationToken)
    {
        var row = LeaseWishRow.Write(Keys.Partition(partition), forwarder, wish);
        return _calls.ReachAsync(end => table.UpsertEntityAsync(row, TableUpdateMode.Replace, end), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task ForgetAsync(int partition, string forwarder, CancellationToken cancellationToken)
    {
        // The checkpoint goes first, so that a process that still forwards under this name stops at its next write.
        await DeleteAsync(Keys.Checkpoint(forwarder));
        await DeleteAsync(Keys.Control(forwarder));
        await DeleteAsync(Keys.Wish(forwarder));
        while (await ReadParkedAsync(partition, forwarder, 0, Limits.TransactionRowsMax, cancellationToken) is { Count: > 0 } parked)
        {
            foreach (var entry in parked) await DeleteAsync(Keys.Parked(forwarder, entry.Offset));
        }

        Task DeleteAsync(string key) => _calls.ReachAsync(
            end => table.DeleteEntityAsync(Keys.Partition(partition), key, ETag.All, end), cancellationToken);
    }

    private async Task<string> WriteAsync(
        int partition, Checkpoint checkpoint, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark, CancellationToken cancellationToken)
    {
        var key = Keys.Partition(partition);
        var row = CheckpointRow.Write(key, checkpoint);
        if (park.Count == 0 && unpark.Count == 0)
        {
            var answer = checkpoint.Tag is { } tag
                ? await table.UpdateEntityAsync(row, new ETag(tag), TableUpdateMode.Replace, cancellationToken)
                : await table.AddEntityAsync(row, cancellationToken);
            return StoreCalls.TagOf(answer);
        }

        List<TableTransactionAction> actions =
        [
            Write(row, checkpoint.Tag),
            .. park.Select(entry => new TableTransactionAction(
                TableTransactionActionType.UpsertReplace, ParkedRow.Write(key, checkpoint.Forwarder, entry))),
            .. unpark.Select(offset => new TableTransactionAction(
                TableTransactionActionType.Delete, new TableEntity(key, Keys.Parked(checkpoint.Forwarder, offset)), ETag.All)),
        ];
        return (await table.CommitAsync(actions, cancellationToken)).ToString();
    }

    private async Task<Checkpoint?> ReadAsync(int partition, string forwarder, CancellationToken cancellationToken)
    {
        try
        {
            return await _calls.ReachAsync(
                async end => await _calls.FindAsync(Keys.Partition(partition), Keys.Checkpoint(forwarder), end) is { } row
                    ? CheckpointRow.Read(row, forwarder)
                    : null,
                cancellationToken);
        }
        catch (OperationCanceledException e)
        {
            throw Unavailable(e);
        }
    }

    private static bool IsUnclear(Exception e, CancellationToken cancellationToken) =>
        TableErrors.IsTransient(e, CancellationToken.None) ||
        (e is OperationCanceledException && cancellationToken.IsCancellationRequested) ||
        (e is RequestFailedException refused && IsChanged(refused));

    private static bool IsChanged(RequestFailedException e) => TableErrors.IsConflict(e) || TableErrors.IsChangedOrGone(e);

    private static TableTransactionAction Write(TableEntity row, string? tag) => tag is null
        ? new TableTransactionAction(TableTransactionActionType.Add, row)
        : new TableTransactionAction(TableTransactionActionType.UpdateReplace, row, new ETag(tag));

    // Writes the same values under a new tag: retention that read the row before loses its next write.
    private static TableTransactionAction Untrimmed(PartitionState state) =>
        Write(OldestRow.Write(Keys.Partition(state.Partition), state.Oldest, state.Trimmed), state.Trimmed.Tag);

    private static async Task<IReadOnlyList<Response>> AnswerAsync(Task<Response> answer) => [await answer];

    private static StoreUnavailableException Unavailable(Exception cause) => new("Table Storage did not answer, or is overloaded.", cause);
}

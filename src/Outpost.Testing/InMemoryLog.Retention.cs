using Outpost.Retention;

namespace Outpost.Testing;

internal sealed partial class InMemoryLog
{
    Task<IReadOnlyList<EntryTrace>> IRetentionStore.ReadTracesAsync(int partition, long offset, int limit, CancellationToken cancellationToken) =>
        DoAsync<IReadOnlyList<EntryTrace>>(
            () => [.. From(_partitions[partition], offset, limit).Select(stored =>
                new EntryTrace(stored.Entry.Offset, stored.Entry.Timestamp, stored.Commit, stored.Receipt))],
            cancellationToken);

    Task<Trimmed?> IRetentionStore.SaveOldestAsync(int partition, long oldest, Trimmed trimmed, CancellationToken cancellationToken) =>
        DoAsync(() => Move(_partitions[partition], oldest, trimmed), cancellationToken);

    Task IRetentionStore.DeleteEventsAsync(int partition, long from, int count, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Limits.TransactionRowsMax);
        return DoAsync(
            () =>
            {
                for (var i = 0; i < count; i++) _partitions[partition].Events.Remove(from + i);
                return true;
            },
            cancellationToken);
    }

    Task<Trimmed?> IRetentionStore.DeleteReceiptsAsync(
        int partition, long oldest, Trimmed trimmed, IReadOnlyList<EntryTrace> entries, CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            var here = _partitions[partition];
            if (Move(here, oldest, trimmed) is not { } moved) return null;
            foreach (var entry in entries)
            {
                // The receipt of another command may have taken its place.
                if (entry.Receipt is { } key && here.Receipts.GetValueOrDefault(key)?.Commit == entry.Commit) here.Receipts.Remove(key);
            }

            return moved;
        },
        cancellationToken);

    private Trimmed? Move(Partition here, long oldest, Trimmed trimmed)
    {
        if (here.Trimmed.Tag != trimmed.Tag) return null;
        here.Oldest = oldest;
        return here.Trimmed = trimmed with { Tag = NewTag() };
    }

    // Stores the same values under a new tag: retention that read them before loses its next move. False if they have moved.
    private bool TouchOldest(Partition here, Trimmed seen) => Move(here, here.Oldest, here.Trimmed with { Tag = seen.Tag }) is not null;
}

namespace Outpost.Tests.Simulation;

/// <summary>An event store that says something else of a partition than what is there.</summary>
internal sealed class BrokenEvents(IEventStore store, Func<PartitionState, PartitionState> change, bool isWithoutEnd = false) : IEventStore
{
    public PartitionHeads Heads => store.Heads;

    public DateTimeOffset Now => store.Now;

    public ValueTask<LogLayout> LayoutAsync(CancellationToken cancellationToken) => store.LayoutAsync(cancellationToken);

    public Task<LogLayout> RefreshLayoutAsync(CancellationToken cancellationToken) => store.RefreshLayoutAsync(cancellationToken);

    public Task<StoredEntity?> ReadEntityAsync(int partition, string type, string id, CancellationToken cancellationToken) =>
        store.ReadEntityAsync(partition, type, id, cancellationToken);

    public Task<StoredReceipt?> ReadReceiptAsync(int partition, Idempotency idempotency, CancellationToken cancellationToken) =>
        store.ReadReceiptAsync(partition, idempotency, cancellationToken);

    public Task<CommitResult> CommitAsync(int partition, Change change, CancellationToken cancellationToken) =>
        store.CommitAsync(partition, change, cancellationToken);

    public Task<IReadOnlyList<EventEntry>> ReadEventsAsync(int partition, long offset, int limit, CancellationToken cancellationToken) =>
        store.ReadEventsAsync(partition, offset, limit, cancellationToken);

    public Task<DateTimeOffset?> ReadTimestampAsync(int partition, long offset, CancellationToken cancellationToken) =>
        store.ReadTimestampAsync(partition, offset, cancellationToken);

    public async Task<PartitionState> ReadPartitionAsync(int partition, CancellationToken cancellationToken)
    {
        try
        {
            return change(await store.ReadPartitionAsync(partition, cancellationToken));
        }
        catch (StoreUnavailableException) when (isWithoutEnd)
        {
            return await new TaskCompletionSource<PartitionState>().Task;
        }
    }
}

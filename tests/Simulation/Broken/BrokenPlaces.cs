namespace Outpost.Tests.Simulation;

/// <summary>An event store that does not say all about where entities are.</summary>
internal sealed class BrokenPlaces(Broken broken, IEventStore store) : IEventStore
{
    public PartitionHeads Heads => store.Heads;

    public DateTimeOffset Now => store.Now;

    public ValueTask<LogLayout> LayoutAsync(CancellationToken cancellationToken) => store.LayoutAsync(cancellationToken);

    public Task<LogLayout> RefreshLayoutAsync(CancellationToken cancellationToken) => broken == Broken.GenerationCachedTooLong
        ? store.LayoutAsync(cancellationToken).AsTask()
        : store.RefreshLayoutAsync(cancellationToken);

    public async Task<StoredEntity?> ReadEntityAsync(int partition, string type, string id, CancellationToken cancellationToken)
    {
        var places = (await store.LayoutAsync(cancellationToken)).PlacesOf($"{type}/{id}");
        return broken == Broken.NewestPlaceNotLookedAt && places.Count > 1 && partition == places[0]
            ? null
            : await store.ReadEntityAsync(partition, type, id, cancellationToken);
    }

    public Task<StoredReceipt?> ReadReceiptAsync(int partition, Idempotency idempotency, CancellationToken cancellationToken) =>
        store.ReadReceiptAsync(partition, idempotency, cancellationToken);

    public Task<CommitResult> CommitAsync(int partition, Change change, CancellationToken cancellationToken) =>
        store.CommitAsync(partition, change, cancellationToken);

    public Task<IReadOnlyList<EventEntry>> ReadEventsAsync(int partition, long offset, int limit, CancellationToken cancellationToken) =>
        store.ReadEventsAsync(partition, offset, limit, cancellationToken);

    public Task<DateTimeOffset?> ReadTimestampAsync(int partition, long offset, CancellationToken cancellationToken) =>
        store.ReadTimestampAsync(partition, offset, cancellationToken);

    public Task<PartitionState> ReadPartitionAsync(int partition, CancellationToken cancellationToken) =>
        store.ReadPartitionAsync(partition, cancellationToken);
}

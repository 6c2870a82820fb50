using Outpost.Forwarding;

namespace Outpost.Tests.Simulation;

/// <summary>Checkpoints and parked entries, kept wrongly.</summary>
internal sealed class BrokenForwarding(Broken broken, IForwardingStore store, IEventStore? events) : IForwardingStore
{
    public async Task<Checkpoint?> SaveAsync(
        int partition, Checkpoint checkpoint, IReadOnlyList<ParkedEntry> park, IReadOnlyList<long> unpark, CancellationToken cancellationToken)
    {
        switch (broken)
        {
            case Broken.CheckpointWithoutIfMatch:
                var now = await events!.ReadPartitionAsync(partition, cancellationToken);
                return await store.SaveAsync(
                    partition, checkpoint with { Tag = now.Checkpoints.GetValueOrDefault(checkpoint.Forwarder)?.Tag }, park, unpark, cancellationToken);
            case Broken.LeaseWithoutEpoch:
                return await store.SaveAsync(partition, checkpoint with { Epoch = 1 }, park, unpark, cancellationToken);
            case Broken.ParkedAfterCheckpoint when park.Count > 0:
                var first = await store.SaveAsync(partition, checkpoint, [], unpark, cancellationToken);
                return first is null ? null : await store.SaveAsync(partition, first with { Write = first.Write + 1 }, park, [], cancellationToken);
            default:
                return await store.SaveAsync(partition, checkpoint, park, unpark, cancellationToken);
        }
    }

    public async Task<IReadOnlyList<ParkedEntry>> ReadParkedAsync(
        int partition, string forwarder, long fromOffset, int limit, CancellationToken cancellationToken)
    {
        var parked = await store.ReadParkedAsync(partition, forwarder, fromOffset, limit, cancellationToken);
        return broken switch
        {
            Broken.FollowersNotHeld => [.. parked.Select(entry => entry with { Subject = entry.Subject + "?" })],
            Broken.RetentionAheadOfParked => [],
            _ => parked,
        };
    }

    public Task<Checkpoint?> BeginAsync(PartitionState state, Checkpoint checkpoint, CancellationToken cancellationToken) =>
        broken == Broken.LeaseWithoutEpoch ? store.BeginAsync(state, checkpoint with { Epoch = 1 }, cancellationToken) : store.BeginAsync(state, checkpoint, cancellationToken);

    public Task<bool> SaveControlAsync(int partition, string forwarder, Control control, PartitionState? untrimmedSince, CancellationToken cancellationToken) =>
        store.SaveControlAsync(partition, forwarder, control, untrimmedSince, cancellationToken);

    public Task WishAsync(int partition, string forwarder, LeaseWish wish, CancellationToken cancellationToken) =>
        store.WishAsync(partition, forwarder, wish, cancellationToken);

    public Task ForgetAsync(int partition, string forwarder, CancellationToken cancellationToken) =>
        store.ForgetAsync(partition, forwarder, cancellationToken);
}

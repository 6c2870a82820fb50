using System.Collections.Concurrent;

namespace Outpost.Client;

/// <summary>Positions that end with the process: for tests, and for readers that build all they have again at each start.</summary>
public sealed class MemoryOffsetStore : IOffsetStore
{
    private readonly ConcurrentDictionary<int, FeedPosition> _positions = new();

    /// <inheritdoc/>
    public Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken) =>
        Task.FromResult(_positions.GetValueOrDefault(partition));

    /// <inheritdoc/>
    public Task StoreAsync(FeedPosition position, CancellationToken cancellationToken)
    {
        _positions[position.Partition] = position;
        return Task.CompletedTask;
    }
}

using System.Collections.Concurrent;

namespace Outpost.Client;

/// <summary>
/// Keeps positions for as long as the process lives: for tests, and for readers that rebuild all their data at each
/// start.
/// </summary>
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

namespace Outpost.Tables;

/// <summary>
/// The versions of the domain entities that this process committed last, up to a capacity. A change that was decided on an older
/// version goes back to its caller without a request to the store. Not thread-safe: only one writer loop uses it.
/// </summary>
internal sealed class RecentVersions(int capacity)
{
    private readonly Dictionary<string, long> _versions = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public bool IsStale(PendingChange pending) =>
        _versions.TryGetValue(pending.EntityKey, out var version) && pending.Change.Version <= version;

    public void Remember(PendingChange pending)
    {
        if (!_versions.ContainsKey(pending.EntityKey))
        {
            _order.Enqueue(pending.EntityKey);
            if (_order.Count > capacity) _versions.Remove(_order.Dequeue());
        }

        _versions[pending.EntityKey] = pending.Change.Version;
    }
}

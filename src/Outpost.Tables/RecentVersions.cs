namespace Outpost.Tables;

/// <summary>
/// Versions of the domain entities this process committed last, bounded: a command decided on an older one is handed
/// back without asking the store. Used by one writer loop only.
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

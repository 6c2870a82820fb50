namespace Outpost;

/// <summary>
/// Finds entities in a log that may have grown: first where a new one goes, then where earlier counts put it. An entity
/// never moves, so a place that was found is remembered. Thread-safe.
/// </summary>
internal sealed class EntityPlaces(IEventStore store, OutpostMetrics? metrics)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _older = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>What was found of an entity.</summary>
    /// <param name="Layout">By which it was looked for.</param>
    /// <param name="Partition">Where it is, or goes.</param>
    /// <param name="Entity">Null: it is nowhere.</param>
    internal readonly record struct Found(LogLayout Layout, int Partition, StoredEntity? Entity);

    /// <summary>Looks in one place after the other until it is found.</summary>
    /// <param name="type">Name of the kind of entity.</param>
    /// <param name="id">Which entity.</param>
    /// <param name="isLikelyNew">Does not look where a new one goes: the commit finds one that is there.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<Found> FindAsync(string type, string id, bool isLikelyNew, CancellationToken cancellationToken)
    {
        var layout = await store.LayoutAsync(cancellationToken);
        var subject = $"{type}/{id}";
        var places = layout.PlacesOf(subject);
        if (places.Count > 1 && Remembered(subject) is { } known && await store.ReadEntityAsync(known, type, id, cancellationToken) is { } there)
            return new Found(layout, known, there);
        for (var i = isLikelyNew ? 1 : 0; i < places.Count; i++)
        {
            if (i > 0) metrics?.OlderRead();
            if (await store.ReadEntityAsync(places[i], type, id, cancellationToken) is not { } entity) continue;
            if (i > 0) Remember(subject, places[i]);
            return new Found(layout, places[i], entity);
        }

        return new Found(layout, places[0], null);
    }

    /// <summary>
    /// Whether the log has grown since an entity was looked for. "There is none" is said only while it has not: another
    /// process, which knew of it, may have created the entity where this one did not look.
    /// </summary>
    public async Task<bool> HasGrownSinceAsync(Found found, CancellationToken cancellationToken) =>
        (await store.RefreshLayoutAsync(cancellationToken)).Generation > found.Layout.Generation;

    private int? Remembered(string subject)
    {
        lock (_lock) return _older.TryGetValue(subject, out var place) ? place : null;
    }

    private void Remember(string subject, int place)
    {
        lock (_lock)
        {
            if (!_older.TryAdd(subject, place)) return;
            _order.Enqueue(subject);
            if (_order.Count > Limits.RememberedPlacesMax) _older.Remove(_order.Dequeue());
        }
    }
}

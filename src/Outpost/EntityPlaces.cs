namespace Outpost;

/// <summary>
/// Finds entities in a log that may have grown. It looks first where a new entity goes, then where earlier partition counts put
/// it. An entity never moves, so this class remembers where it found one. Thread-safe.
/// </summary>
internal sealed class EntityPlaces(IEventStore store, OutpostMetrics? metrics)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _older = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>The result of a search.</summary>
    /// <param name="Layout">The layout by which the entity was looked for.</param>
    /// <param name="Partition">Where the entity is, or where it goes when it is new.</param>
    /// <param name="Entity">The entity; null if there is none.</param>
    internal readonly record struct Found(LogLayout Layout, int Partition, StoredEntity? Entity);

    /// <summary>Looks in one place after the other until it finds the entity.</summary>
    /// <param name="type">Name of the kind of entity.</param>
    /// <param name="id">Id of the entity.</param>
    /// <param name="isLikelyNew">Skips the place where a new entity goes: the commit notices one that is there.</param>
    /// <param name="cancellationToken">Ends the search.</param>
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
    /// Whether the log has grown since a search. If it has, the search does not prove that there is no entity: another process, which
    /// knew of the growth, may have created the entity where this one did not look.
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

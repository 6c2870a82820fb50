using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// The rows of writers that wait for their turn and that the head does not name yet. They are in a table partition of their own. They
/// only set the pace, so a request for them that fails is nobody's failure.
/// </summary>
internal sealed class WriterPlaces(StoreCalls calls, int partition, StoreClock clock)
{
    // No writer waits longer for its turn. An older row was left by a process that ended.
    private static readonly TimeSpan AgeMax = TimeSpan.FromSeconds(5);

    // Fewer than ten join between two commits. The rest is for the next commit.
    private const int ReadMax = 10;
    private readonly string _partitionKey = Keys.Line(partition);
    private Task _adding = Task.CompletedTask;

    /// <summary>Adds this writer's place.</summary>
    public void Add(string key, CancellationToken cancellationToken) => _adding = AddAsync(key, cancellationToken);

    private async Task AddAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await calls.ReachAsync(end => calls.Table.UpsertEntityAsync(new TableEntity(_partitionKey, key), TableUpdateMode.Replace, end), cancellationToken);
        }
        catch (Exception)
        {
            // This writer has no place, and races once it has waited long enough.
        }
    }

    /// <summary>Deletes places of writers that no longer need them.</summary>
    public async Task DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        // A row that is added after it was deleted would stay.
        await _adding;
        foreach (var key in keys) _ = DeleteAsync(key, cancellationToken);
    }

    /// <summary>The places of all who wait; null if they cannot be read.</summary>
    public async Task<IReadOnlyList<WriterPlace>?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var places = await calls.ReachAsync(ReadOnceAsync, cancellationToken);
            foreach (var old in places.Where(IsOld)) _ = DeleteAsync(old.Key, cancellationToken);
            return [.. places.Where(place => !IsOld(place))];
        }
        catch (Exception)
        {
            return null;
        }
    }

    private bool IsOld(WriterPlace place) => clock.Now - place.At > AgeMax;

    private async Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await calls.ReachAsync(end => calls.Table.DeleteEntityAsync(_partitionKey, key, ETag.All, end), cancellationToken);
        }
        catch (Exception)
        {
            // Whoever reads it next puts its writer into the line once more, or finds it too old.
        }
    }

    private async Task<IReadOnlyList<WriterPlace>> ReadOnceAsync(CancellationToken cancellationToken)
    {
        var places = new List<WriterPlace>();
        var rows = 0;
        await foreach (var row in calls.RowsAsync(_partitionKey, "", Keys.PlacesEnd, ReadMax, ["PartitionKey", "RowKey", "Timestamp"], cancellationToken))
        {
            if (Keys.PlaceOf(row.RowKey) is var (writer, commit)) places.Add(new WriterPlace(writer, commit, row.RowKey, row.Timestamp ?? default));
            if (++rows == ReadMax) break;
        }

        return places;
    }
}

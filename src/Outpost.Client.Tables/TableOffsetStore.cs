using System.Collections.Concurrent;
using System.Globalization;
using Azure;
using Azure.Data.Tables;

namespace Outpost.Client;

/// <summary>
/// Keeps positions in an Azure table, one row for each partition. Only the reader that read a row last can move it,
/// because each write names the row's ETag. When two readers of the same name run at once, the one that stores second
/// stops with <see cref="FeedFailure.Fenced"/>.
/// </summary>
/// <param name="table">The table; it must exist.</param>
/// <param name="reader">Name of the reader, which is the rows' PartitionKey: 1 to 100 characters of <c>A-Za-z0-9._~-</c>.</param>
/// <param name="owner">Names this start of this process, such as a new GUID; no two starts may share it. Kept in the row.</param>
public sealed class TableOffsetStore(TableClient table, string reader, string owner) : IOffsetStore
{
    private readonly string _reader = reader.Length is >= 1 and <= 100
        && reader.All(c => char.IsAsciiLetterOrDigit(c) || "._~-".Contains(c, StringComparison.Ordinal))
        ? reader
        : throw new ArgumentException($"A reader's name has 1 to 100 of A-Za-z0-9._~-: '{reader}'.", nameof(reader));

    // The rows' ETags as this reader last saw them. A partition is missing here when it had no row.
    private readonly ConcurrentDictionary<int, ETag> _seen = new();

    /// <inheritdoc/>
    /// <exception cref="FeedException">The row is there and cannot be understood (<see cref="FeedFailure.InvalidPosition"/>).</exception>
    public async Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken)
    {
        if (await RowAsync(partition, cancellationToken) is not { } row)
        {
            _seen.TryRemove(partition, out _);
            return null;
        }

        if (!FeedPosition.TryParse(row.GetString("Next"), out var position) || position.Partition != partition)
        {
            throw new FeedException(
                FeedFailure.InvalidPosition, $"The row {_reader} / {row.RowKey} of the table '{table.Name}' holds no position of its partition.");
        }

        _seen[partition] = row.ETag;
        return position;
    }

    /// <inheritdoc/>
    public async Task StoreAsync(FeedPosition position, CancellationToken cancellationToken)
    {
        var row = new TableEntity(_reader, RowKey(position.Partition)) { ["Next"] = position.ToString(), ["Owner"] = owner };
        for (var isRepeat = false; ; isRepeat = true)
        {
            try
            {
                var response = _seen.TryGetValue(position.Partition, out var seen)
                    ? await table.UpdateEntityAsync(row, seen, TableUpdateMode.Replace, cancellationToken)
                    : await table.AddEntityAsync(row, cancellationToken);
                _seen[position.Partition] = response.Headers.ETag!.Value;
                return;
            }
            catch (RequestFailedException e) when (e.Status is 404 or 409 or 412)
            {
                // The client repeats a request whose answer was lost, so the refusal may come from our own success. Or
                // an earlier store passed its deadline and took effect after the position was loaded; then one more try
                // succeeds.
                var stored = await RowAsync(position.Partition, cancellationToken);
                var isStored = stored?.GetString("Next") == position.ToString();
                if (stored?.GetString("Owner") != owner || (isRepeat && !isStored)) throw Fenced(position, stored, e);
                _seen[position.Partition] = stored.ETag;
                if (isStored) return;
            }
        }
    }

    private FeedException Fenced(FeedPosition position, TableEntity? stored, RequestFailedException e)
    {
        var why = stored is null
            ? $"The position of the reader '{_reader}' in partition {position.Partition} was deleted, or its table, since it was loaded."
            : $"Another reader named '{_reader}' ({stored.GetString("Owner")}) has stored {stored.GetString("Next")} since "
              + $"this one ({owner}) loaded its position.";
        return new FeedException(FeedFailure.Fenced, why, e) { Position = position };
    }

    private async Task<TableEntity?> RowAsync(int partition, CancellationToken cancellationToken)
    {
        var row = await table.GetEntityIfExistsAsync<TableEntity>(_reader, RowKey(partition), cancellationToken: cancellationToken);
        return row.HasValue ? row.Value : null;
    }

    private static string RowKey(int partition) => partition.ToString("D4", CultureInfo.InvariantCulture);
}

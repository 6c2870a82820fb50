using Azure;
using Azure.Data.Tables;

namespace Outpost.Tests.Testing;

/// <summary>A row as a <see cref="SimulatedTable"/> keeps it. Never changes: a write makes another.</summary>
/// <param name="Values">Its properties, without keys.</param>
/// <param name="Tag">Its ETag.</param>
/// <param name="Timestamp">When it was written, by the service's clock.</param>
internal sealed record SimulatedRow(Dictionary<string, object> Values, string Tag, DateTimeOffset Timestamp)
{
    /// <summary>A number; null: there is none of this name.</summary>
    public long? Number(string name) => Values.TryGetValue(name, out var value) ? (long)value : null;

    /// <summary>A text; null: there is none of this name.</summary>
    public string? Text(string name) => Values.TryGetValue(name, out var value) ? (string)value : null;

    /// <summary>A time; null: there is none of this name.</summary>
    public DateTimeOffset? Time(string name) => Values.TryGetValue(name, out var value) ? (DateTimeOffset)value : null;

    // All of it, made once: rows are read far more often than written.
    private TableEntity? _whole;

    internal TableEntity ToEntity(string partition, string row, IReadOnlyList<string>? select = null) => select is null
        ? new TableEntity(_whole ??= Selected(partition, row, [.. Values.Keys, "PartitionKey", "RowKey", "Timestamp"]))
        : Selected(partition, row, select);

    // The service answers only what was asked for.
    private TableEntity Selected(string partition, string row, IReadOnlyList<string> select)
    {
        var entity = new TableEntity();
        foreach (var name in select)
        {
            if (Values.TryGetValue(name, out var value)) entity.Add(name, value);
            else if (name == "PartitionKey") entity.PartitionKey = partition;
            else if (name == "RowKey") entity.RowKey = row;
            else if (name == "Timestamp") entity.Timestamp = Timestamp;
        }

        entity.ETag = new ETag(Tag);
        return entity;
    }
}

/// <summary>What a write did to one row.</summary>
/// <param name="Partition">Its partition key.</param>
/// <param name="Row">Its row key.</param>
/// <param name="Before">As it was; null: it was not there.</param>
/// <param name="After">As it is; null: it is deleted.</param>
internal sealed record RowChange(string Partition, string Row, SimulatedRow? Before, SimulatedRow? After);

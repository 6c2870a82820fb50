using Azure;
using Azure.Data.Tables;

namespace Outpost.Tests.Testing;

/// <summary>A row as a <see cref="SimulatedTable"/> keeps it. Never changes: a write makes another.</summary>
/// <param name="Values">Its properties, without keys.</param>
/// <param name="Tag">Its ETag.</param>
/// <param name="Timestamp">When it was written, by the service's clock.</param>
public sealed record SimulatedRow(Dictionary<string, object> Values, string Tag, DateTimeOffset Timestamp)
{
    /// <summary>A number; null: there is none of this name.</summary>
    public long? Number(string name) => Values.TryGetValue(name, out var value) ? (long)value : null;

    /// <summary>A text; null: there is none of this name.</summary>
    public string? Text(string name) => Values.TryGetValue(name, out var value) ? (string)value : null;

    /// <summary>A time; null: there is none of this name.</summary>
    public DateTimeOffset? Time(string name) => Values.TryGetValue(name, out var value) ? (DateTimeOffset)value : null;

    internal TableEntity ToEntity(string partition, string row, IEnumerable<string>? select = null)
    {
        var chosen = select?.ToHashSet(StringComparer.Ordinal);
        var entity = new TableEntity();
        foreach (var (name, value) in Values)
        {
            if (chosen?.Contains(name) ?? true) entity.Add(name, value is byte[] bytes ? bytes.ToArray() : value);
        }

        // With a selection the service answers only what was asked for.
        if (chosen?.Contains("PartitionKey") ?? true) entity.PartitionKey = partition;
        if (chosen?.Contains("RowKey") ?? true) entity.RowKey = row;
        if (chosen?.Contains("Timestamp") ?? true) entity.Timestamp = Timestamp;
        entity.ETag = new ETag(Tag);
        return entity;
    }
}

/// <summary>What a write did to one row.</summary>
/// <param name="Partition">Its partition key.</param>
/// <param name="Row">Its row key.</param>
/// <param name="Before">As it was; null: it was not there.</param>
/// <param name="After">As it is; null: it is deleted.</param>
public sealed record RowChange(string Partition, string Row, SimulatedRow? Before, SimulatedRow? After);

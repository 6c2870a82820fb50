namespace Outpost;

/// <summary>
/// A stored row holds what no version of this program writes: a property is missing, has another type or a value that
/// cannot be. Nothing is guessed: whatever depends on the row stands still until somebody mends or deletes it.
/// </summary>
/// <param name="partitionKey">PartitionKey of the row.</param>
/// <param name="rowKey">RowKey of the row.</param>
/// <param name="property">The property; null: the row as a whole.</param>
/// <param name="what">What is wrong, as the rest of a sentence: "is missing".</param>
/// <param name="table">The table's name; null: not known yet.</param>
/// <param name="innerException">What found it.</param>
public sealed class DamagedRowException(
    string partitionKey, string rowKey, string? property, string what, string? table = null, Exception? innerException = null)
    : OutpostException(
        $"Damaged row{(string.IsNullOrEmpty(table) ? "" : $" in table '{table}'")}: PartitionKey '{partitionKey}', RowKey '{rowKey}'{(property is null ? "" : $", property {property}")} {what}.",
        innerException)
{
    /// <summary>The table's name; null: not known yet.</summary>
    public string? Table { get; } = table;

    /// <summary>PartitionKey of the row.</summary>
    public string PartitionKey { get; } = partitionKey;

    /// <summary>RowKey of the row.</summary>
    public string RowKey { get; } = rowKey;

    /// <summary>The same of a named table.</summary>
    public DamagedRowException In(string name) => new(PartitionKey, RowKey, property, what, name, InnerException);
}

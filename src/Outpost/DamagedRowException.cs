namespace Outpost;

/// <summary>
/// A stored row holds what no version of this program writes: a property is missing, has another type or a value that
/// cannot be. Nothing is guessed: whatever depends on the row stands still until somebody mends or deletes it.
/// </summary>
public sealed class DamagedRowException : OutpostException
{
    private readonly string? _property;
    private readonly string _what;

    /// <param name="partitionKey">PartitionKey of the row.</param>
    /// <param name="rowKey">RowKey of the row.</param>
    /// <param name="property">The property; null: the row as a whole.</param>
    /// <param name="what">What is wrong, as the rest of a sentence: "is missing".</param>
    /// <param name="table">The table's name; null: not known yet.</param>
    /// <param name="innerException">What found it.</param>
    internal DamagedRowException(
        string partitionKey, string rowKey, string? property, string what, string? table = null, Exception? innerException = null)
        : base(
            $"Damaged row{(string.IsNullOrEmpty(table) ? "" : $" in table '{table}'")}: PartitionKey '{partitionKey}', RowKey '{rowKey}'{(property is null ? "" : $", property {property}")} {what}.",
            innerException) =>
        (PartitionKey, RowKey, Table, _property, _what) = (partitionKey, rowKey, table, property, what);

    /// <summary>The table's name; null: not known yet.</summary>
    public string? Table { get; }

    /// <summary>PartitionKey of the row.</summary>
    public string PartitionKey { get; }

    /// <summary>RowKey of the row.</summary>
    public string RowKey { get; }

    /// <summary>The same of a named table.</summary>
    internal DamagedRowException In(string name) => new(PartitionKey, RowKey, _property, _what, name, InnerException);
}

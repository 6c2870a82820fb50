namespace Outpost;

/// <summary>
/// A stored row holds what no version of this program writes: a property is missing, or has another type or an impossible value.
/// Outpost guesses nothing. Whatever depends on the row stands still until somebody repairs or deletes it.
/// </summary>
public sealed class DamagedRowException : OutpostException
{
    private readonly string? _property;
    private readonly string _what;

    /// <param name="partitionKey">PartitionKey of the row.</param>
    /// <param name="rowKey">RowKey of the row.</param>
    /// <param name="property">The property; null for the row as a whole.</param>
    /// <param name="what">What is wrong, as the rest of a sentence: "is missing".</param>
    /// <param name="table">The table's name; null while it is not known.</param>
    /// <param name="innerException">The exception that showed the damage.</param>
    internal DamagedRowException(
        string partitionKey, string rowKey, string? property, string what, string? table = null, Exception? innerException = null)
        : base(
            $"Damaged row{(string.IsNullOrEmpty(table) ? "" : $" in table '{table}'")}: PartitionKey '{partitionKey}', RowKey '{rowKey}'{(property is null ? "" : $", property {property}")} {what}.",
            innerException) =>
        (PartitionKey, RowKey, Table, _property, _what) = (partitionKey, rowKey, table, property, what);

    /// <summary>The table's name; null if it is not known.</summary>
    public string? Table { get; }

    /// <summary>PartitionKey of the row.</summary>
    public string PartitionKey { get; }

    /// <summary>RowKey of the row.</summary>
    public string RowKey { get; }

    /// <summary>The same damage, with the table's name.</summary>
    internal DamagedRowException In(string name) => new(PartitionKey, RowKey, _property, _what, name, InnerException);
}

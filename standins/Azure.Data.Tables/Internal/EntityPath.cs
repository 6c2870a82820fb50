namespace Azure.Data.Tables.Internal;

/// <summary>The address of a row below the account: single quotes doubled, the unusual percent-encoded.</summary>
internal static class EntityPath
{
    public static string Of(string table, string partitionKey, string rowKey) =>
        $"/{table}(PartitionKey='{Escaped(partitionKey)}',RowKey='{Escaped(rowKey)}')";

    public static void Append(PooledBytes target, string table, string partitionKey, string rowKey)
    {
        target.Append("/"u8);
        target.Append(table.AsSpan());
        target.Append("(PartitionKey='"u8);
        AppendEscaped(target, partitionKey);
        target.Append("',RowKey='"u8);
        AppendEscaped(target, rowKey);
        target.Append("')"u8);
    }

    private static string Escaped(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Uri.EscapeDataString(OdataFilter.Quoted(key));
    }

    private static void AppendEscaped(PooledBytes target, string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        Span<char> escaped = stackalloc char[512];
        if (!key.Contains('\'') && Uri.TryEscapeDataString(key, escaped, out var length))
            target.Append(escaped[..length]);
        else
            target.Append(Escaped(key).AsSpan());
    }
}

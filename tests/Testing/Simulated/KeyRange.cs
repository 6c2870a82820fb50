namespace Outpost.Tests.Testing;

/// <summary>What the log asks for: rows of one partition, between two keys; or all rows of the partitions between two others.</summary>
internal sealed record KeyRange(string Partition, string First, bool WithFirst, string Last, bool WithLast)
{
    /// <summary>Without one partition: those after this one.</summary>
    public string After { get; init; } = "";

    /// <summary>Without one partition: those before this one.</summary>
    public string Below { get; init; } = "\uffff";

    public bool IsOfOnePartition => Partition.Length > 0;

    public bool HasPartition(string key) => string.CompareOrdinal(key, After) > 0 && string.CompareOrdinal(key, Below) < 0;

    public bool Has(string key) => (WithFirst || key != First) && (WithLast || key != Last);

    public static KeyRange Of(string filter)
    {
        var range = new KeyRange("", "", true, "\uffff", true);
        if (filter.Length == 0) return range;
        foreach (var part in filter.AsSpan().Split(" and "))
        {
            var condition = filter.AsSpan(part);
            var value = condition.IndexOf('\'');
            if (value < 0 || condition[^1] != '\'') throw NotUnderstood(filter);
            var text = condition[(value + 1)..^1].ToString().Replace("''", "'", StringComparison.Ordinal);
            range = condition[..value] switch
            {
                "PartitionKey eq " => range with { Partition = text },
                "PartitionKey gt " => range with { After = text },
                "PartitionKey lt " => range with { Below = text },
                "RowKey eq " => range with { First = text, Last = text },
                "RowKey ge " => range with { First = text },
                "RowKey gt " => range with { First = text, WithFirst = false },
                "RowKey le " => range with { Last = text },
                "RowKey lt " => range with { Last = text, WithLast = false },
                _ => throw NotUnderstood(filter),
            };
        }

        return range;
    }

    private static NotSupportedException NotUnderstood(string filter) => new($"The simulated table cannot answer '{filter}'.");
}

namespace Outpost.Tests.Testing;

/// <summary>What the log asks for: rows of one partition, between two keys.</summary>
internal sealed record KeyRange(string Partition, string First, bool WithFirst, string Last, bool WithLast)
{
    public bool Has(string key) => (WithFirst || key != First) && (WithLast || key != Last);

    public static KeyRange Of(string filter)
    {
        var range = new KeyRange("", "", true, "\uffff", true);
        foreach (var part in filter.AsSpan().Split(" and "))
        {
            var condition = filter.AsSpan(part);
            var value = condition.IndexOf('\'');
            if (value < 0 || condition[^1] != '\'') throw NotUnderstood(filter);
            var text = condition[(value + 1)..^1].ToString().Replace("''", "'", StringComparison.Ordinal);
            range = condition[..value] switch
            {
                "PartitionKey eq " => range with { Partition = text },
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

using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>One thing that is wrong with a log.</summary>
/// <param name="Kind">The kind of finding: a stable name for programs.</param>
/// <param name="PartitionKey">PartitionKey of the row.</param>
/// <param name="RowKey">RowKey of the row; empty when the whole partition is meant.</param>
/// <param name="What">What is wrong, in words.</param>
internal sealed record Finding(string Kind, string PartitionKey, string RowKey, string What)
{
    /// <summary>What the finding breaks, and how to repair it.</summary>
    public string Breaks => BreaksOf[Kind];

    /// <summary>All kinds of findings.</summary>
    public static IEnumerable<string> Kinds => BreaksOf.Keys;

    private static readonly Dictionary<string, string> BreaksOf = new()
    {
        ["layout"] = "The log can be neither read nor written. Restore the property from a backup, or as this finding says.",
        ["foreign-rows"] = "Nothing breaks, but no program of this version wrote these rows. Was the table used for something else, or does the log have more partitions than its layout says?",
        ["head"] = "Commands in this partition fail. Set Next to the last entry's offset plus one.",
        ["head-too-low"] = "Commands in this partition fail. If the table was copied under load, delete the events beyond the head: no reader ever got them.",
        ["oldest"] = "The whole partition fails. Set Offset to the first entry that is there.",
        ["hole"] = "Readers and forwarders stop there. Let each forwarder skip the hole, and let readers go on after it. The missing entries are lost.",
        ["event"] = "Readers and forwarders stop at this entry. Correct the property, or delete the row and let each forwarder skip it.",
        ["time"] = "Nothing stops. Around this entry, retention, ages and the search for an offset by time go wrong.",
        ["leftover"] = "Nothing breaks, but retention will not delete these rows: they are below its mark. You can delete them.",
        ["entity"] = "Commands on that entity fail. Correct the property.",
        ["entity-ahead"] = "The state has a change without an event: consumers never hear of the change, and the next one leaves a gap in the versions.",
        ["entity-behind"] = "An event tells of a change that the state does not have: the next command decides on an old state.",
        ["receipt"] = "Repeats of that command fail. Delete the row: a repeat is then a new command.",
        ["receipt-missing"] = "A repeat of that command is carried out a second time.",
        ["receipt-orphan"] = "A repeat of that command gets the answer to a change that is not in the log. Delete the row.",
        ["checkpoint"] = "That forwarder stops in this partition, and so does retention. Correct the property; a lower Next sends entries again.",
        ["checkpoint-beyond-head"] = "In this partition, that forwarder would never send the entries from the head to Next. Set Next to the head, or lower.",
        ["control"] = "That forwarder stops in this partition. Delete the row: a pause ends, and what operators asked for is lost.",
        ["parked"] = "That forwarder stops in this partition. Correct the property, or delete the row to give up the entry.",
        ["parked-without-entry"] = "A retry of this parked entry stops. Discard it.",
        ["parked-not-passed"] = "The entry may be delivered twice and out of order. Delete the row, or set the checkpoint's Next above it.",
        ["parked-count"] = "Status and alarms show a wrong number until the forwarder next parks or releases an entry.",
        ["history"] = "Nothing breaks, but one action of an operator cannot be read.",
        ["heartbeat"] = "Nothing breaks, but one process counts as if it had never sent a heartbeat. You can delete the row.",
        ["key"] = "Nothing reads this row. Was it written by hand?",
    };
}

/// <summary>What is wrong with a log: how many findings of each kind, and the first <see cref="ToldMax"/> of each.</summary>
internal sealed class Findings
{
    // More findings of one kind help nobody.
    public const int ToldMax = 100;

    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly List<Finding> _told = [];

    public IReadOnlyDictionary<string, long> Counts => _counts;

    public IReadOnlyList<Finding> Told => _told;

    public void Add(string kind, string partitionKey, string rowKey, string what)
    {
        _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
        if (_counts[kind] <= ToldMax) _told.Add(new Finding(kind, partitionKey, rowKey, what));
    }

    public void Add(string kind, DamagedRowException damage) => Add(kind, damage.PartitionKey, damage.RowKey, damage.Message);

    /// <summary>Reads a row. If the row is damaged, adds a finding and returns null.</summary>
    public T? Try<T>(string kind, TableEntity row, Func<TableEntity, T> read)
        where T : class
    {
        try
        {
            return read(row);
        }
        catch (DamagedRowException damage)
        {
            Add(kind, damage);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            Add("key", row.PartitionKey, row.RowKey, $"this version does not write such a key: {e.Message}");
        }

        return null;
    }
}

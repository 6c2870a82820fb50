using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>One thing that is wrong with a log.</summary>
/// <param name="Kind">What kind: stable, for programs.</param>
/// <param name="PartitionKey">Where.</param>
/// <param name="RowKey">Where; empty: the partition.</param>
/// <param name="What">What is wrong.</param>
internal sealed record Finding(string Kind, string PartitionKey, string RowKey, string What)
{
    /// <summary>What it breaks, and the way out.</summary>
    public string Breaks => BreaksOf[Kind];

    /// <summary>All kinds.</summary>
    public static IEnumerable<string> Kinds => BreaksOf.Keys;

    private static readonly Dictionary<string, string> BreaksOf = new()
    {
        ["layout"] = "Nothing of the log can be read or written. Put the property back, from a backup or by what is said here.",
        ["foreign-rows"] = "Nothing; but no program of this version wrote these rows. Was the table used for something else, or has the log more partitions than its layout says?",
        ["head"] = "Commands of the partition. Set Next to the last entry's offset plus one.",
        ["head-too-low"] = "Commands of the partition. After a copy under load: delete the events beyond the head; nobody was ever offered them.",
        ["oldest"] = "The partition. Set Offset to the first entry that is there.",
        ["hole"] = "Readers and forwarders stop there. Let each forwarder skip it, and readers go on behind it; what is gone is gone.",
        ["event"] = "Readers and forwarders stop at this entry. Set the property right, or delete the row and let each forwarder skip it.",
        ["time"] = "Nothing stops, but finding an offset by time, retention and ages are wrong around it.",
        ["leftover"] = "Nothing; retention deletes below its mark no more. The rows can be deleted.",
        ["entity"] = "Commands on that entity. Set the property right.",
        ["entity-ahead"] = "The state has a change that no event tells of: consumers never hear of it, and the next change leaves a gap in its versions.",
        ["entity-behind"] = "An event tells of a change that the state does not have: the next command decides on an old state.",
        ["receipt"] = "Repeats of that command. Delete the row: a repeat is a new command then.",
        ["receipt-missing"] = "A repeat of that command is carried out a second time.",
        ["receipt-orphan"] = "A repeat of that command gets an answer to a change that is not in the log. Delete the row.",
        ["checkpoint"] = "That forwarder there, and retention. Set the property right; a lower Next sends entries again.",
        ["checkpoint-beyond-head"] = "That forwarder there: entries below it would never be sent. Set Next to the head, or lower.",
        ["control"] = "That forwarder there. Delete the row: nothing is paused any more, and what was asked for is gone.",
        ["parked"] = "That forwarder there. Set the property right, or delete the row: then the entry is given up.",
        ["parked-without-entry"] = "A retry of it stops. Discard it.",
        ["parked-not-passed"] = "The entry may be delivered twice, and out of order. Delete the row, or set the checkpoint's Next above it.",
        ["parked-count"] = "Status and alarms tell a wrong number until the forwarder next parks or releases an entry.",
        ["history"] = "Nothing; one action of an operator cannot be read.",
        ["heartbeat"] = "Nothing; one process counts as one that never told of itself. The row can be deleted.",
        ["key"] = "Nobody reads the row. Was it written by hand?",
    };
}

/// <summary>What is wrong with a log: how often each kind, and the first ones of each.</summary>
internal sealed class Findings
{
    // Nobody reads more of one kind.
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

    /// <summary>Reads a row; null: it is damaged, and added.</summary>
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
            Add("key", row.PartitionKey, row.RowKey, $"the key is none of this version's: {e.Message}");
        }

        return null;
    }
}

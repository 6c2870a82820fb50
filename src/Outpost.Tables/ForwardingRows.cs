using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Azure.Data.Tables;
using Outpost.Forwarding;

namespace Outpost.Tables;

/// <summary>A forwarder's checkpoint row.</summary>
internal static class CheckpointRow
{
    public static TableEntity Write(string partitionKey, Checkpoint checkpoint)
    {
        var row = new TableEntity(partitionKey, Keys.Checkpoint(checkpoint.Forwarder))
        {
            ["Next"] = checkpoint.NextOffset,
            ["Epoch"] = checkpoint.Epoch,
            ["Owner"] = checkpoint.Owner ?? "",
            ["Write"] = checkpoint.Write,
            ["Parked"] = (long)checkpoint.Parked,
            ["RequestDone"] = checkpoint.RequestDone,
        };
        if (checkpoint.Within is { } within) row["WithinSeconds"] = (long)Math.Ceiling(within.TotalSeconds);
        if (checkpoint.IsNew) row["New"] = true;
        if (checkpoint.Refused > 0) row["Refused"] = (long)checkpoint.Refused;
        if (checkpoint.Requests.Count > 0) row["Requests"] = JsonSerializer.Serialize(checkpoint.Requests, ControlJson.Default.IReadOnlyListRequestProgress);
        if (checkpoint.LastError is { } error) (row["LastError"], row["Failures"]) = (error, (long)checkpoint.Failures);
        if (checkpoint.FailingSince is { } since) row["FailingSince"] = since;
        return row;
    }

    public static Checkpoint Read(TableEntity row, string forwarder) => new()
    {
        Forwarder = forwarder,
        NextOffset = row.Whole("Next"),
        Epoch = row.Whole("Epoch"),
        Owner = row.TextOrNull("Owner") is { Length: > 0 } owner ? owner : null,
        Write = row.Whole("Write"),
        Parked = (int)row.Whole("Parked", int.MaxValue),
        RequestDone = row.Whole("RequestDone"),
        Refused = (int)(row.WholeOrNull("Refused", int.MaxValue) ?? 0),
        Requests = Requests(row),
        IsNew = row.Flag("New"),
        LastError = row.TextOrNull("LastError"),
        Failures = (int)(row.WholeOrNull("Failures", int.MaxValue) ?? 0),
        FailingSince = row.TimeOrNull("FailingSince"),
        Within = row.WholeOrNull("WithinSeconds", int.MaxValue) is { } within ? TimeSpan.FromSeconds(within) : null,
        StoredAt = row.Timestamp,
        Tag = row.ETag.ToString(),
    };

    // Older versions carried out one request at a time, and wrote only how far the next replay had come.
    private static IReadOnlyList<RequestProgress> Requests(TableEntity row)
    {
        if (row.TextOrNull("Requests") is { } text) return ControlRow.Parse(row, text, ControlJson.Default.IReadOnlyListRequestProgress);
        return row.WholeOrNull("ReplayNext") is { } next ? [new RequestProgress((row.WholeOrNull("RequestDone") ?? 0) + 1, null) { Next = next }] : [];
    }
}

/// <summary>What operators ask of a forwarder.</summary>
internal static class ControlRow
{
    public static TableEntity Write(string partitionKey, string forwarder, Control control) => new(partitionKey, Keys.Control(forwarder))
    {
        ["Paused"] = control.IsPaused,
        ["Requests"] = JsonSerializer.Serialize(control.Requests, ControlJson.Default.IReadOnlyListControlRequest),
        ["Last"] = control.Last,
        ["PausedAt"] = control.PausedAt,
        ["PausedBy"] = control.PausedBy,
        ["PausedFor"] = control.PausedFor,
    };

    public static Control Read(TableEntity row) => new(
        row.Flag("Paused", isNeeded: true),
        Parse(row, row.Text("Requests"), ControlJson.Default.IReadOnlyListControlRequest),
        row.ETag.ToString())
    {
        Last = row.WholeOrNull("Last") ?? 0,
        PausedAt = row.TimeOrNull("PausedAt"),
        PausedBy = row.TextOrNull("PausedBy"),
        PausedFor = row.TextOrNull("PausedFor"),
    };

    public static IReadOnlyList<T> Parse<T>(TableEntity row, string text, JsonTypeInfo<IReadOnlyList<T>> type)
    {
        try
        {
            if (JsonSerializer.Deserialize(text, type) is { } list && !list.Contains(default!)) return list;
        }
        catch (JsonException)
        {
            // No version writes such text.
        }

        throw Fields.Damage(row, "Requests", text, "a JSON list of requests");
    }
}

/// <summary>The wish of a process for a lease that another process holds.</summary>
internal static class LeaseWishRow
{
    public static TableEntity Write(string partitionKey, string forwarder, LeaseWish wish) => new(partitionKey, Keys.Wish(forwarder))
    {
        ["Owner"] = wish.Owner,
        ["Epoch"] = wish.Epoch,
    };

    public static LeaseWish Read(TableEntity row) => new(row.Text("Owner"), row.Whole("Epoch"));
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<ControlRequest>))]
[JsonSerializable(typeof(IReadOnlyList<RequestProgress>))]
internal sealed partial class ControlJson : JsonSerializerContext;

/// <summary>A parked entry: why it is parked, and behind which offset. The entry itself stays in the log.</summary>
internal static class ParkedRow
{
    private const int ReasonMax = 1000;

    public static TableEntity Write(string partitionKey, string forwarder, ParkedEntry entry)
    {
        var row = new TableEntity(partitionKey, Keys.Parked(forwarder, entry.Offset))
        {
            ["Subject"] = entry.Subject,
            ["Type"] = entry.Type,
            ["Reason"] = entry.Reason.Length <= ReasonMax ? entry.Reason : entry.Reason[..ReasonMax],
            ["Attempts"] = (long)entry.Attempts,
            ["At"] = entry.At,
        };
        if (entry.Behind is { } behind) row["Behind"] = behind;
        return row;
    }

    public static ParkedEntry Read(TableEntity row, int partition) => new(
        partition,
        Keys.ParkedOffset(row.RowKey),
        row.Text("Subject"),
        row.Text("Type"),
        row.Text("Reason"),
        row.WholeOrNull("Behind"),
        (int)row.Whole("Attempts", int.MaxValue),
        row.Time("At"));
}

/// <summary>The oldest retained offset, and how far retention has deleted older rows.</summary>
internal static class OldestRow
{
    public static TableEntity Write(string partitionKey, long oldest, Trimmed trimmed) => new(partitionKey, Keys.Oldest)
    {
        ["Offset"] = oldest,
        ["Rows"] = trimmed.Rows,
        ["Receipts"] = trimmed.Receipts,
    };

    public static (long Oldest, Trimmed Trimmed) Read(TableEntity row) => (
        row.Whole("Offset"),
        new Trimmed(row.WholeOrNull("Rows") ?? 0, row.WholeOrNull("Receipts") ?? 0, row.ETag.ToString()));
}

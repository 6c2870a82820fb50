using System.Text.Json;
using System.Text.Json.Serialization;
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
        NextOffset = row.GetInt64("Next")!.Value,
        Epoch = row.GetInt64("Epoch")!.Value,
        Owner = row.GetString("Owner") is { Length: > 0 } owner ? owner : null,
        Write = row.GetInt64("Write")!.Value,
        Parked = (int)(row.GetInt64("Parked") ?? 0),
        RequestDone = row.GetInt64("RequestDone") ?? 0,
        Refused = (int)(row.GetInt64("Refused") ?? 0),
        Requests = Requests(row),
        IsNew = row.GetBoolean("New") ?? false,
        LastError = row.GetString("LastError"),
        Failures = (int)(row.GetInt64("Failures") ?? 0),
        FailingSince = row.GetDateTimeOffset("FailingSince"),
        StoredAt = row.Timestamp,
        Tag = row.ETag.ToString(),
    };

    // Older versions carried out one request after the other, and wrote where the replay that was next had come to.
    private static IReadOnlyList<RequestProgress> Requests(TableEntity row)
    {
        if (row.GetString("Requests") is { } text) return JsonSerializer.Deserialize(text, ControlJson.Default.IReadOnlyListRequestProgress) ?? [];
        return row.GetInt64("ReplayNext") is { } next ? [new RequestProgress((row.GetInt64("RequestDone") ?? 0) + 1, null) { Next = next }] : [];
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
    };

    public static Control Read(TableEntity row) => new(
        row.GetBoolean("Paused") ?? false,
        JsonSerializer.Deserialize(row.GetString("Requests") ?? "[]", ControlJson.Default.IReadOnlyListControlRequest) ?? [],
        row.ETag.ToString())
    {
        Last = row.GetInt64("Last") ?? 0,
    };
}

/// <summary>Which process wishes to have a lease that another holds.</summary>
internal static class LeaseWishRow
{
    public static TableEntity Write(string partitionKey, string forwarder, LeaseWish wish) => new(partitionKey, Keys.Wish(forwarder))
    {
        ["Owner"] = wish.Owner,
        ["Epoch"] = wish.Epoch,
    };

    public static LeaseWish Read(TableEntity row) => new(row.GetString("Owner"), row.GetInt64("Epoch")!.Value);
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<ControlRequest>))]
[JsonSerializable(typeof(IReadOnlyList<RequestProgress>))]
internal sealed partial class ControlJson : JsonSerializerContext;

/// <summary>A parked entry: why, and behind which; the entry itself stays where it is in the log.</summary>
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
        row.GetString("Subject"),
        row.GetString("Type"),
        row.GetString("Reason"),
        row.GetInt64("Behind"),
        (int)row.GetInt64("Attempts")!.Value,
        row.GetDateTimeOffset("At")!.Value);
}

/// <summary>The oldest retained offset, and how far what is older has been deleted.</summary>
internal static class OldestRow
{
    public static TableEntity Write(string partitionKey, long oldest, Trimmed trimmed) => new(partitionKey, Keys.Oldest)
    {
        ["Offset"] = oldest,
        ["Rows"] = trimmed.Rows,
        ["Receipts"] = trimmed.Receipts,
    };

    public static (long Oldest, Trimmed Trimmed) Read(TableEntity row) => (
        row.GetInt64("Offset")!.Value,
        new Trimmed(row.GetInt64("Rows") ?? 0, row.GetInt64("Receipts") ?? 0, row.ETag.ToString()));
}

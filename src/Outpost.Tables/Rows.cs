using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>The partition's next offset and last commit.</summary>
/// <param name="Tag">The store's concurrency token; null when the partition is empty and the row does not exist yet.</param>
/// <param name="Next">Offset of the next entry to be written.</param>
/// <param name="Commit">Id of the last commit.</param>
/// <param name="At">Time of the last commit.</param>
internal sealed record HeadRow(ETag? Tag, long Next, string? Commit, DateTimeOffset At)
{
    // A log that has grown stores the next offset under another name. A process of an older version would put new entities into the
    // wrong partition. It cannot read such a head, so it writes nothing.
    private const string NextOfGrown = "NextOffset";

    public static readonly HeadRow Empty = new(null, 0, null, DateTimeOffset.MinValue);

    /// <summary>
    /// A new entity goes into this partition only by a layout of this generation. While the log grows, heads get the next generation
    /// before anybody can use it.
    /// </summary>
    public int Generation { get; init; } = 1;

    /// <summary>The writers that commit next, in order, where several wait; null: nobody waits. Only <see cref="WriterLine"/> reads it.</summary>
    public string? Line { get; init; }

    public static HeadRow Read(TableEntity row)
    {
        var generation = (int)(row.WholeOrNull("Generation", Limits.PartitionsMax) ?? 1);
        return new(row.ETag, row.Whole(generation > 1 ? NextOfGrown : "Next"), row.Text("Commit"), StampedTime.Of(row))
        {
            Generation = generation,
            Line = row.TextOrNull("Line"),
        };
    }

    public TableEntity Row(string partitionKey)
    {
        var row = new TableEntity(partitionKey, Keys.Head) { [Generation > 1 ? NextOfGrown : "Next"] = Next, ["Commit"] = Commit, ["At"] = At };
        if (Generation > 1) row["Generation"] = (long)Generation;
        if (Line is not null) row["Line"] = Line;
        return row;
    }

    public TableTransactionAction Write(string partitionKey)
    {
        var row = Row(partitionKey);
        return Tag is { } tag
            ? new TableTransactionAction(TableTransactionActionType.UpdateReplace, row, tag)
            : new TableTransactionAction(TableTransactionActionType.Add, row);
    }
}

/// <summary>
/// When a row was written. The writer's time counts, unless it is far ahead of the store's own stamp: a writer whose clock was
/// hours ahead must not hold up later times, retention and ages. A copied row has a later stamp, which says nothing.
/// </summary>
internal static class StampedTime
{
    /// <summary>The columns that <see cref="Of"/> reads.</summary>
    public static readonly string[] Columns = ["At", "Timestamp"];

    public static DateTimeOffset Of(TableEntity row)
    {
        var at = row.Time("At");
        return row.Timestamp is { } stamp && at - stamp > StoreClock.FarOff ? stamp : at;
    }
}

/// <summary>A domain entity's row.</summary>
internal static class EntityRow
{
    public static TableEntity Write(string partitionKey, Change change, string? text, string commitId)
    {
        var row = new TableEntity(partitionKey, Keys.Entity(change.EntityType, change.EntityId))
        {
            ["Version"] = change.Version,
            ["Commit"] = commitId,
        };
        PayloadColumns.Write(row, "State", change.State, text);
        return row;
    }

    public static StoredEntity Read(TableEntity row) =>
        new(PayloadColumns.Read(row, "State", isText: true), row.Whole("Version", long.MaxValue - 1), row.ETag.ToString()) { Place = (row.PartitionKey, row.RowKey) };
}

/// <summary>The receipt of a command that had an idempotency key.</summary>
internal static class ReceiptRow
{
    public static TableEntity Write(string partitionKey, Change change, string? text, Idempotency idempotency, string commitId, DateTimeOffset at)
    {
        var row = new TableEntity(partitionKey, Keys.Receipt(idempotency.Scope, idempotency.Key))
        {
            ["Fingerprint"] = idempotency.Fingerprint,
            ["Version"] = change.Version,
            ["Commit"] = commitId,
            ["At"] = at,
        };
        PayloadColumns.Write(row, "State", change.State, text);
        return row;
    }

    // Older versions put claims in the place of receipts, for requests about entities in other partitions. No request of today is
    // the same as one of theirs, so a claim gets a fingerprint that no request has.
    public static StoredReceipt Read(TableEntity row) => row.ContainsKey("ClaimedBy")
        ? new StoredReceipt(Fingerprint: "", State: default, Version: 0)
        : new StoredReceipt(row.Text("Fingerprint"), PayloadColumns.Read(row, "State", isText: true), row.Whole("Version")) { Place = (row.PartitionKey, row.RowKey) };
}

/// <summary>One event's row.</summary>
internal static class EventRow
{
    public static TableEntity Write(
        string partitionKey, long offset, NewEvent @event, string? text, Change change, string commitId, DateTimeOffset at)
    {
        var row = new TableEntity(partitionKey, Keys.Event(offset))
        {
            ["Type"] = @event.Type,
            ["ContentType"] = @event.ContentType,
            ["At"] = at,
            ["Subject"] = change.Subject,
            ["Version"] = change.Version,
            ["Commit"] = commitId,
        };
        // Retention finds old receipts through this property.
        if (change.Idempotency is { } idempotency) row["Receipt"] = Keys.Receipt(idempotency.Scope, idempotency.Key);
        if (change.TraceParent is { } traceParent) row["TraceParent"] = traceParent;
        if (change.CorrelationId is { } correlationId) row["CorrelationId"] = correlationId;
        PayloadColumns.Write(row, "Payload", @event.Payload, text);
        return row;
    }

    public static EventEntry Read(TableEntity row, string log)
    {
        var contentType = row.Text("ContentType");
        var isJson = MediaType.IsJson(contentType);
        var payload = PayloadColumns.Read(row, "Payload", isText: isJson);
        // The feed copies the payload into its page as it is, so invalid JSON would break the page.
        if (isJson && !IsJson(payload)) throw new DamagedRowException(row.PartitionKey, row.RowKey, "Payload", "is not JSON, although ContentType says so");
        return new(
            new EventId(log, int.Parse(row.PartitionKey, CultureInfo.InvariantCulture), Keys.EventOffset(row.RowKey)),
            row.Text("Type"),
            contentType,
            payload,
            row.Time("At"),
            row.Text("Subject"),
            row.Whole("Version"),
            row.TextOrNull("TraceParent"),
            row.TextOrNull("CorrelationId"));
    }

    private static bool IsJson(byte[] payload)
    {
        var json = new Utf8JsonReader(payload);
        try
        {
            while (json.Read())
            {
            }

            return json.TokenType != JsonTokenType.None;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

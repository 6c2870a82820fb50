using System.Text.Json.Nodes;
using Outpost.Forwarding;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>
/// The OpenAPI document's parameters and headers, and the two forms of an entry, which no type of this program
/// describes.
/// </summary>
internal static class Parts
{
    /// <summary>Parameters, by the name that operations use.</summary>
    public static JsonObject Parameters => new()
    {
        ["EventId"] = Path("id", "Id of the event.", Text(Facets.EventId), "k3v9x2ab-0000-0000000000000000041"),
        ["PartitionInPath"] = Path("partition", "Number of the partition.", Whole(0, Limits.PartitionsMax - 1), 0),
        ["OffsetInPath"] = Path("offset", "Offset of the entry.", Offset(), 41),
        ["RequestId"] = Path("id", "Id of the request, from status or from the answer to it.", Text("^[a-z0-9-]{1,50}$"), "5f0c9d3e"),
        ["ForwarderName"] = Path("name", "Name of the forwarder.", Text(Facets.ForwarderName), "servicebus"),
        ["ProblemName"] = Path("name", "The last segment of a problem's type.", Text("^[A-Za-z0-9._~-]{1,100}$"), "offset-expired"),
        ["IdempotencyKey"] = Header(
            "Idempotency-Key", "A quoted string or a bare token. It is valid for one method, path, and entity that the request names. A repeat gets the stored answer; another body with the same key is 422.",
            new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = (2 * Limits.IdempotencyKeyMax) + 2, ["description"] = "The key itself has 1 to 128 printable ASCII characters." },
            "\"2f9c1c1e-7d3e-4b0c-9d7f-0f7a4b8f2d11\""),
        ["IfMatch"] = Header("If-Match", "Versions that are accepted, or `*`. Without it, a command that loses a race is decided again on fresh state.", Text(), "\"1\""),
        ["TraceParent"] = Header("traceparent", "W3C trace context, kept with the events. A value that is not valid is ignored.", Text(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ["CorrelationId"] = Header(
            "X-Correlation-Id", "Kept with the events.", new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = 128, ["pattern"] = "^[ -~]+$" }, "c-1"),
        ["IfNoneMatch"] = Header("If-None-Match", "Entity tags that the caller has, or `*`: 304 where one matches.", Text(), "\"1\""),
        ["Offset"] = Query("offset", "Where to start: 0 or more, `earliest` or `latest`.", Default(0, new JsonObject
        {
            ["oneOf"] = new JsonArray(Offset(), new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("earliest", "latest") }),
        })),
        ["Limit"] = Query("limit", "The most entries of the answer.", Default(EventQuery.LimitDefault, Whole(1, Limits.PageEntriesMax))),
        ["Partition"] = Query("partition", "Number of the partition. It may be left out where the log has one partition.", Whole(0, Limits.PartitionsMax - 1)),
        ["Wait"] = Query("wait", "Seconds to wait for an entry. Without one, the answer is `[]`.", Default(0, Whole(0, EventQuery.WaitSecondsMax))),
        ["Types"] = Types(),
        ["LastEventId"] = Query("lastEventId", "The last event that was handled; missing, empty or `null`: from the beginning.", Text()),
        ["Timeout"] = Query("timeout", "Milliseconds to wait for an entry; more than 25,000 count as 25,000.", Default(0, Whole(0, FeedQuery.TimeoutMax))),
        ["Time"] = Required(Query("time", "RFC 3339, 5.6: any offset, fraction and leap second.", new JsonObject { ["type"] = "string", ["format"] = "date-time" })),
        ["Recent"] = Query("recent", "Whether to add the last ten minutes, as far as the process that answers has looked.", Default(false, new JsonObject { ["type"] = "boolean" })),
        ["GroupBy"] = Query("groupBy", "Returns groups instead of entries. Reasons that differ only in ids, times and sizes are one group. No other parameter is allowed beside it.", new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("reason") }),
        ["ParkedPartition"] = Query("partition", "Partition to start in.", Default(0, Whole(0, Limits.PartitionsMax - 1))),
        ["HistoryLimit"] = Query("limit", "The most actions of the answer.", Default(OperationsApi.HistoryDefault, Whole(1, OperatorAction.KeptMax))),
        ["ParkedOffset"] = Query("offset", "Offset to start at.", Default(0, Offset())),
    };

    /// <summary>Response headers, by the name that answers use, each with the header's own name.</summary>
    public static readonly IReadOnlyDictionary<string, (string Name, JsonObject Header)> Headers = new Dictionary<string, (string, JsonObject)>(StringComparer.Ordinal)
    {
        ["NoSniff"] = ("X-Content-Type-Options", Always("No browser may take the answer for another media type.", Const("nosniff"))),
        ["NoStore"] = ("Cache-Control", Always("Never cached.", Const("no-store"))),
        ["PageCache"] = ("Cache-Control", Always(
            "`private, max-age=…, immutable` for a final page, else `private, no-cache`. Final pages are cached for no longer than their events are kept.",
            Text("^private, (max-age=[0-9]+, immutable|no-cache)$"))),
        ["EntryCache"] = ("Cache-Control", Always("An entry never changes.", Text("^private, max-age=[0-9]+, immutable$"))),
        ["DocumentCache"] = ("Cache-Control", Always("The document is the same for everybody.", Const("public, max-age=300"))),
        ["ETag"] = ("ETag", Always("Strong, and equal on every instance.", Text("^\"[^\"]+\"$"))),
        ["Version"] = ("ETag", Always("The entity's version; for If-Match.", Text("^\"[0-9]+\"$"))),
        ["Vary"] = ("Vary", Always("The media types have different entity tags.", Const("Accept"))),
        ["Replayed"] = ("Idempotency-Replayed", Sometimes("Only on the stored answer to a repeat.", Const("true"))),
        ["Location"] = ("Location", Always("Where the entity is, relative to the address of the request, or absolute where the app has a public URL.", Text("^[^ ]+$"))),
        ["NextOffset"] = ("Next-Offset", Always("The offset to ask for next.", Offset())),
        ["Head"] = ("Outpost-Head", Sometimes("The next offset to be written. Not on a final page.", Offset())),
        ["Oldest"] = ("Outpost-Oldest", Sometimes("The oldest offset that is still there. Not on a final page.", Offset())),
        ["Partitions"] = ("Outpost-Partitions", Sometimes("How many partitions the log has. Not on a final page.", Whole(1, Limits.PartitionsMax))),
        ["NextLink"] = ("Link", Sometimes("`<…>; rel=\"next\"`, only while there is more now. Holds no key.", Text("^<(https?://|/|[?])[^>]*>; rel=\"next\"$"))),
        ["RetryAfter"] = ("Retry-After", Always("Seconds.", Whole(1, null))),
        ["WaitersRetryAfter"] = ("Retry-After", Sometimes("Seconds. Only where too many readers wait, so that this one was answered at once, or where the next entry cannot be read yet.", Whole(1, null))),
        ["Sandbox"] = ("Content-Security-Policy", Always("A payload never runs in this origin.", Const("default-src 'none'; sandbox"))),
        ["PagePolicy"] = ("Content-Security-Policy", Always("Nothing but the page's own style and script, and nothing from or to elsewhere.", Text("^default-src 'none'; "))),
        ["NoReferrer"] = ("Referrer-Policy", Always("The page's address is sent to nobody.", Const("no-referrer"))),
        ["SameOrigin"] = ("Cross-Origin-Opener-Policy", Always("No window of another site can reach this one.", Const("same-origin"))),
    };

    /// <summary>Schemas of what is written without a type of its own.</summary>
    public static JsonObject Written => new()
    {
        ["Entry"] = OneOf("One stored event with its place in the log.", "payload", "payloadBase64", new JsonObject
        {
            ["partition"] = Whole(0, Limits.PartitionsMax - 1),
            ["offset"] = Offset(),
            ["id"] = Described(Text(Facets.EventId), "`{log}-{partition}-{offset}`: the same in the feed, in CloudEvents and as MessageId."),
            ["type"] = Long(),
            ["contentType"] = Long(),
            ["timestamp"] = Described(Time(), "When the event was committed. It never decreases along offsets."),
            ["subject"] = Described(Text(), "What the event is about, as `{type}/{id}`."),
            ["version"] = Described(new JsonObject { ["type"] = "integer", ["format"] = "int64", ["minimum"] = 1 }, "Version of the subject after this event's command."),
            ["payload"] = new JsonObject { ["description"] = "The JSON value itself for JSON content types, a string for `text/*`." },
            ["payloadBase64"] = new JsonObject { ["type"] = "string", ["contentEncoding"] = "base64", ["description"] = "The payload of any other content type." },
            ["traceparent"] = Described(Text(), "W3C trace context of the command."),
            ["correlationId"] = Long(),
        }),
        ["CloudEvent"] = OneOf("The same entry as a CloudEvent 1.0, with the extensions `sequence`, `partitionkey`, `traceparent` and `correlationid`.", "data", "data_base64", new JsonObject
        {
            ["specversion"] = Const("1.0"),
            ["id"] = Text(Facets.EventId),
            ["source"] = new JsonObject { ["type"] = "string", ["format"] = "uri-reference", ["minLength"] = 1 },
            ["type"] = Text(),
            ["subject"] = Text(),
            ["time"] = Time(),
            ["datacontenttype"] = Text(),
            ["sequence"] = Described(Text("^[0-9]{19}$"), "The offset, zero-padded."),
            ["partitionkey"] = Text("^[0-9]{4}$"),
            ["data"] = new JsonObject { ["description"] = "The JSON value itself for JSON content types, a string for `text/*`." },
            ["data_base64"] = new JsonObject { ["type"] = "string", ["contentEncoding"] = "base64" },
            ["traceparent"] = Text(),
            ["correlationid"] = Text(),
        }),
        ["Page"] = Pages("Entry", "Entries in order, without holes: at most 4 MiB, unless one entry alone is larger."),
        ["CloudEventsBatch"] = Pages("CloudEvent", "The same entries as CloudEvents."),
        ["Problem"] = new JsonObject
        {
            ["type"] = "object",
            ["description"] = "RFC 9457. The last segment of `type` is stable, and there is a page at that address; `detail` is a sentence for people. Other members may be there.",
            ["required"] = new JsonArray("type", "title", "status", "detail"),
            ["properties"] = new JsonObject
            {
                ["type"] = Text($"^{Problem.TypePrefix}[A-Za-z0-9._~-]+$"),
                ["title"] = Text(),
                ["status"] = Whole(400, 599),
                ["detail"] = Text(),
            },
        },
    };

    private static JsonObject Text(string? pattern = null) => pattern is null ? new() { ["type"] = "string" } : new() { ["type"] = "string", ["pattern"] = pattern };

    private static JsonObject Const(string value) => new() { ["type"] = "string", ["const"] = value };

    private static JsonObject Time() => new() { ["type"] = "string", ["format"] = "date-time", ["pattern"] = Facets.Time };

    private static JsonObject Long() => new() { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = Limits.HeaderCharactersMax };

    private static JsonObject Offset() => new() { ["type"] = "integer", ["format"] = "int64", ["minimum"] = 0 };

    private static JsonObject Whole(long min, long? max) => new JsonObject { ["type"] = "integer", ["minimum"] = min, ["maximum"] = max }.Trimmed();

    private static JsonObject Default(JsonNode value, JsonObject schema)
    {
        schema["default"] = value;
        return schema;
    }

    private static JsonObject Described(JsonObject schema, string description)
    {
        schema["description"] = description;
        return schema;
    }

    private static JsonObject Path(string name, string description, JsonObject schema, JsonNode example) => new()
    {
        ["name"] = name,
        ["in"] = "path",
        ["required"] = true,
        ["description"] = description,
        ["schema"] = schema,
        ["example"] = example,
    };

    private static JsonObject Header(string name, string description, JsonObject schema, string example) => new()
    {
        ["name"] = name,
        ["in"] = "header",
        ["description"] = description,
        ["schema"] = schema,
        ["example"] = example,
    };

    private static JsonObject Query(string name, string description, JsonObject schema) => new() { ["name"] = name, ["in"] = "query", ["description"] = description, ["schema"] = schema };

    private static JsonObject Required(JsonObject parameter)
    {
        parameter["required"] = true;
        parameter["example"] = "2026-11-22T08:00:00Z";
        return parameter;
    }

    private static JsonObject Types()
    {
        var parameter = Query(
            "types", "The event types to answer, separated by commas. One answer looks at 5,000 entries or 64 MiB at most; Next-Offset still advances.",
            new JsonObject { ["type"] = "array", ["minItems"] = 1, ["maxItems"] = EventQuery.TypesMax, ["items"] = Long() });
        (parameter["style"], parameter["explode"], parameter["example"]) = ("form", false, new JsonArray("OrderPlaced", "OrderPaid"));
        return parameter;
    }

    private static JsonObject Always(string description, JsonObject schema) => new() { ["description"] = description, ["required"] = true, ["schema"] = schema };

    private static JsonObject Sometimes(string description, JsonObject schema) => new() { ["description"] = description, ["schema"] = schema };

    // Trace context and correlation id are optional: only commands that had them pass them on. The payload has one of two forms.
    private static JsonObject OneOf(string description, string one, string other, JsonObject properties) => new()
    {
        ["type"] = "object",
        ["description"] = description,
        ["required"] = new JsonArray([.. properties.Select(member => member.Key).Where(name => name != one && name != other && name is not ("traceparent" or "correlationId" or "correlationid")).Select(name => (JsonNode)name)]),
        ["properties"] = properties,
        ["additionalProperties"] = false,
        ["oneOf"] = new JsonArray(new JsonObject { ["required"] = new JsonArray(one) }, new JsonObject { ["required"] = new JsonArray(other) }),
    };

    private static JsonObject Pages(string item, string description) => new()
    {
        ["type"] = "array",
        ["maxItems"] = Limits.PageEntriesMax,
        ["items"] = new JsonObject { ["$ref"] = $"#/components/schemas/{item}" },
        ["description"] = description,
    };
}

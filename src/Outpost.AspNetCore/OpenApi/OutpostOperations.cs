using System.Text.Json.Nodes;
using Outpost.Forwarding;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>The operations that Outpost answers itself, in both kinds of host.</summary>
internal static class OutpostOperations
{
    private const string Entry = """{"partition":0,"offset":41,"id":"k3v9x2ab-0000-0000000000000000041","type":"OrderPlaced","contentType":"application/json","payload":{"orderId":"o-1"},"timestamp":"2026-11-22T08:00:00.1234567Z","subject":"order/o-1","version":1}""";
    private const string CloudEvent = """{"specversion":"1.0","id":"k3v9x2ab-0000-0000000000000000041","source":"/outpost","type":"OrderPlaced","subject":"order/o-1","time":"2026-11-22T08:00:00.1234567Z","datacontenttype":"application/json","data":{"orderId":"o-1"},"sequence":"0000000000000000041","partitionkey":"0000"}""";
    private static readonly string[] Page = ["NoSniff", "PageCache", "ETag", "Vary", "NextOffset", "Head", "Oldest", "Partitions", "NextLink", "WaitersRetryAfter"];
    private static readonly string[] OneEntry = ["NoSniff", "EntryCache", "ETag", "Vary"];
    private static readonly string[] WholePage = ["NoSniff", "NoStore", "PagePolicy", "NoReferrer", "SameOrigin"];
    private static readonly string[] Document = ["NoSniff", "DocumentCache", "ETag", "Vary"];
    private static readonly Answer NotModified = new(304, "PageNotModified", "The caller has this answer already.", Page);

    public static readonly IReadOnlyList<Operation> All = [.. Feed(), .. Everybody(), .. Looking(), .. Parked(), .. Acting()];

    private static IEnumerable<Operation> Feed() =>
    [
        Read("events", "ReadEvents", "Entries by offset", "Offset", "Limit", "Partition", "Wait", "Types", "IfNoneMatch") with
        {
            Description = "Ask again at Next-Offset. A failed event is simply read again.",
            Answers =
            [
                new(200, "Page", "Entries from the offset on. Final (`immutable`) when the offset was a number, the page is full and an entry exists after it.", Page)
                {
                    Content = [Written("application/json", "Page", $"[{Entry}]"), Written("application/cloudevents-batch+json", "CloudEventsBatch", $"[{CloudEvent}]")],
                },
                NotModified,
            ],
            Problems = Named("offset-beyond-head", "offset-expired"),
        },
        Read("events/{id}", "ReadEvent", "One entry", "EventId", "IfNoneMatch") with
        {
            Answers = [new(200, "Entry", "The entry.", OneEntry) { Content = [Written("application/json", "Entry", Entry)] }, new(304, "EntryNotModified", "The caller has this answer already.", OneEntry)],
            Problems = Named("event-not-found", "other-log", "offset-expired"),
        },
        Read("events/{id}/data", "ReadEventData", "One entry's payload as stored", "EventId", "IfNoneMatch") with
        {
            Answers =
            [
                new(200, "EntryData", "The payload as stored, with its own content type.", [.. OneEntry, "Sandbox"]) { Content = [new("*/*", new JsonObject())] },
                new(304, "EntryDataNotModified", "The caller has this answer already.", [.. OneEntry, "Sandbox"]),
            ],
            Problems = Named("event-not-found", "other-log", "offset-expired"),
        },
        HttpFeed("feed", "ReadFeed", "The log in the format of HTTP Feeds, where it has one partition"),
        HttpFeed("feed/{partition}", "ReadPartitionFeed", "One partition in the format of HTTP Feeds", "PartitionInPath"),
        Read("partitions", "ReadPartitions", "The oldest offset and the head of each partition") with
        {
            Answers = [Json<PartitionsAnswer>(200, "Partitions", "All partitions.", """{"log":"k3v9x2ab","partitions":[{"partition":0,"oldestOffset":0,"headOffset":42,"headTimestamp":"2026-11-22T08:00:00.1234567Z"}]}""")],
        },
        Read("partitions/{partition}/offset-at", "ReadOffsetAt", "The offset at a time", "PartitionInPath", "Time") with
        {
            Answers = [Json<OffsetAnswer>(200, "OffsetAt", "The first entry at or after that time; the head when all are older.", """{"offset":17}""")],
            Problems = Named("partition-not-found"),
        },
    ];

    private static Operation HttpFeed(string route, string id, string summary, params string[] path) => Read(route, id, summary, [.. path, "LastEventId", "Timeout", "IfNoneMatch"]) with
    {
        Description = "The protocol of http-feeds.org. An answer has at most 100 entries. Accept is not needed.",
        Answers =
        [
            new(200, "Batch", "Entries after the last event, as CloudEvents; `[]` at the end of the log.", Page) { Content = [Written("application/cloudevents-batch+json", "CloudEventsBatch", $"[{CloudEvent}]")] },
            NotModified,
        ],
        Problems = Named("offset-beyond-head", "partition-not-found", "other-log", "offset-expired"),
    };

    private static IEnumerable<Operation> Everybody() =>
    [
        Open("health", "Health", "Whether this app can do its work") with
        {
            Answers =
            [
                Json<HealthAnswer>(200, "Healthy", "The app can do its work, perhaps with problems (`degraded`).", """{"status":"ok","problems":[]}"""),
                Json<HealthAnswer>(503, "Unhealthy", "Something is missing or does not answer; the problems name it.", """{"status":"unhealthy","problems":[{"code":"store-away","detail":"Table Storage does not answer."}]}"""),
            ],
        },
        Open("openapi.json", "OpenApi", "This document", "IfNoneMatch") with
        {
            Answers =
            [
                new(200, "Document", "This document.", Document) { Content = [new("application/json", new JsonObject { ["type"] = "object" })] },
                new(304, "DocumentNotModified", "The caller has this answer already.", Document),
            ],
        },
        Open("dashboard", "Dashboard", "The dashboard") with
        {
            IsChecked = false,
            Answers = [new(200, "Dashboard", "The page. It holds no data. Its user types in a key, which the page sends as `x-functions-key`.", WholePage) { Content = [new("text/html", new JsonObject { ["type"] = "string" })] }],
        },
        Open("problems/{name}", "ProblemPage", "What a kind of problem means", "ProblemName") with
        {
            IsChecked = false,
            Answers = [new(200, "ProblemPage", "A page that explains it, and says what to do.", "NoSniff", "NoStore", "PagePolicy") { Content = [new("text/html", new JsonObject { ["type"] = "string" })] }],
            Problems = Named("problem-type-not-found"),
        },
    ];

    private static IEnumerable<Operation> Looking() =>
    [
        Look("status", "ReadStatus", "The state of the log and its forwarders", "Recent") with
        {
            Answers = [Json<StatusAnswer>(200, "Status", "Partitions and forwarders.", """{"log":"k3v9x2ab","partitions":[{"partition":0,"oldestOffset":0,"headOffset":42}],"forwarders":[],"problems":[]}""")],
        },
        Look("forwarders/{name}/parked", "ReadParked", "Parked entries", "ForwarderName", "Limit", "ParkedPartition", "ParkedOffset", "GroupBy") with
        {
            Answers =
            [
                new(200, "Parked", "Parked entries by partition and offset; or groups of them, the largest first.", "NoSniff", "NoStore", "NextLink")
                {
                    Content =
                    [
                        new("application/json", new JsonObject { ["anyOf"] = new JsonArray(Bounded(Schemas.Of(typeof(ParkedAnswer[])), Limits.PageEntriesMax), Schemas.Of(typeof(ParkedGroupAnswer[]))) },
                            JsonNode.Parse("""[{"partition":0,"offset":41,"id":"k3v9x2ab-0000-0000000000000000041","type":"OrderPlaced","subject":"order/o-1","reason":"The target refused it.","attempts":5,"at":"2026-11-22T08:00:00.1234567Z"}]""")),
                    ],
                },
            ],
            Problems = Named("forwarder-not-found"),
        },
        Look("forwarders/{name}/history", "ReadHistory", "What operators did to a forwarder", "ForwarderName", "HistoryLimit") with
        {
            Answers =
            [
                new(200, "History", $"Operators' actions, the newest first. The newest {OperatorAction.KeptMax} of each forwarder are kept.", "NoSniff", "NoStore")
                {
                    Content =
                    [
                        new("application/json", Bounded(Schemas.Of(typeof(ActionAnswer[])), OperatorAction.KeptMax),
                            JsonNode.Parse("""[{"id":"5f2c9a01","at":"2026-11-22T08:00:00.1234567Z","by":"ada@example.org","action":"pause","detail":"all partitions","reason":"The broker moves.","outcome":"done"}]""")),
                    ],
                },
            ],
            Problems = Named("forwarder-not-found"),
        },
    ];

    private static IEnumerable<Operation> Parked()
    {
        var filter = Body("ParkedFilter", body => OperationBodies.Parked(body, Limits.PartitionsMax), """{"reason":"The target refused it.","type":"OrderPlaced"}""") with { More = " `{}` matches all." };
        var matched = Json<MatchedAnswer>(202, "Matched", "Accepted. Whichever process forwards carries it out.", """{"name":"servicebus","id":"5f0c9d3e","count":334}""");
        var one = Act("post", "forwarders/{name}/parked/{partition}/{offset}/retry", "RetryParked", "Deliver a parked entry, then those behind it", "ForwarderName", "PartitionInPath", "OffsetInPath") with
        {
            Answers = [Accepted],
            Problems = Named("entry-not-parked", "behind-parked"),
        };
        return
        [
            Act("post", "forwarders/{name}/parked/retry", "RetryAllParked", "Deliver all parked entries that match, then those behind them", "ForwarderName") with
            {
                Description = "Entries that are parked later are not affected.", Body = filter, Answers = [matched], Problems = Named("forwarder-not-found"),
            },
            Act("post", "forwarders/{name}/parked/discard", "DiscardAllParked", "Discard all parked entries that match; those behind them are delivered", "ForwarderName") with
            {
                Description = "Entries that are parked later are not affected.", Body = filter, Answers = [matched], Problems = Named("forwarder-not-found"),
            },
            one,
            one with
            {
                Path = "/api/forwarders/{name}/parked/{partition}/{offset}/discard", Id = "DiscardParked", Summary = "Discard a parked entry; those behind it are delivered",
                Body = Body("Reason", body => OperationBodies.Reason(body), """{"reason":"refunded by hand"}"""),
            },
        ];
    }

    private static IEnumerable<Operation> Acting()
    {
        var optional = Body("OptionalReason", body => OperationBodies.OptionalReason(body), """{"reason":"The broker moves at ten."}""") with { Required = false };
        var paused = Json<PausedAnswer>(200, "Paused", "Done. It takes effect within a second and survives restarts.", """{"name":"servicebus","paused":true}""");
        return
        [
            Act("post", "forward", "ForwardNow", "One tick now") with
            {
                Description = "Runs all forwarders of this app, then retention, as the timer does. Any scheduler can call it where the timer does not run. While a tick is under way, the answer is that tick's.",
                Answers = [Json<ForwardAnswer>(200, "Forwarded", "What the tick did. Work that takes longer than 15 s goes on in the background.", """{"delivered":3,"batches":1,"failedPartitions":0}""")],
            },
            Act("post", "forwarders/{name}/pause", "PauseForwarder", "Pause a forwarder, in one partition or in all", "ForwarderName", "Partition") with { Body = optional, Answers = [paused], Problems = Named("forwarder-not-found") },
            Act("post", "forwarders/{name}/resume", "ResumeForwarder", "Resume a forwarder", "ForwarderName", "Partition") with { Body = optional, Answers = [paused], Problems = Named("forwarder-not-found") },
            Act("post", "forwarders/{name}/replay", "ReplayEntries", "Deliver a range or a period again, marked as a replay", "ForwarderName") with
            {
                Description = "Delivers a range of one partition, or a period in all partitions: only entries that match `types` and `subject`. The checkpoint does not move.",
                Body = Replay(), Answers = [Replaying], Problems = Named("forwarder-not-found"),
            },
            Act("post", "forwarders/{name}/skip", "SkipEntries", "Go on after entries that are gone", "ForwarderName") with
            {
                Description = "Skips only entries that are gone. The forwarder goes on with the next entry that is there, and the answer says how many it lost.",
                Body = Body("Skip", body => OperationBodies.Skip(body, Limits.PartitionsMax), """{"partition":0,"toOffset":41}"""),
                Answers = [Json<SkippedAnswer>(200, "Skipped", "The forwarder goes on with the next entry that is there.", """{"name":"servicebus","partition":0,"fromOffset":17,"toOffset":41,"lost":24}""")],
                Problems = Named("forwarder-not-found", "entries-there"),
            },
            Act("delete", "forwarders/{name}/requests/{id}", "TakeBackRequest", "Take back a replay, retry or discard that is not done", "ForwarderName", "RequestId") with
            {
                Answers = [Json<TakenBackAnswer>(200, "TakenBack", "The request is taken back. The part that was done stays done.", """{"name":"servicebus","id":"5f0c9d3e"}""")],
                Problems = Named("request-not-found", "forwarder-not-found"),
            },
            Act("delete", "forwarders/{name}", "ForgetForwarder", "Forget a forwarder that no longer exists", "ForwarderName") with
            {
                Description = "A forgotten forwarder no longer holds retention back.",
                Answers = [new(204, "Forgotten", "Forgotten.", "NoSniff", "NoStore")], Problems = Named("forwarder-not-found", "forwarder-in-use"),
            },
        ];
    }

    // A replay by offsets and a replay by time have different bodies.
    private static RequestBody Replay()
    {
        var range = JsonFields.Describe(body => OperationBodies.ReplayRange(body, Limits.PartitionsMax)).Schema;
        var time = JsonFields.Describe(body => OperationBodies.ReplayTime(body)).Schema;
        var either = new JsonArray(range["required"]!.DeepClone(), time["required"]!.DeepClone());
        foreach (var (name, member) in time["properties"]!.AsObject()) range["properties"]![name] = member!.DeepClone();
        range.Remove("required");
        range["anyOf"] = new JsonArray([.. either.Select(required => new JsonObject { ["required"] = required!.DeepClone() })]);
        return new RequestBody("Replay", range.Trimmed(), JsonNode.Parse("""{"partition":0,"fromOffset":0,"toOffset":9}""")!, OperationBodies.BytesMax, Required: true);
    }

    private static Answer Accepted => Json<AcceptedAnswer>(202, "Accepted", "Whichever process forwards carries it out.", """{"name":"servicebus","id":"5f0c9d3e","replay":"5f0c9d3e"}""");

    private static Answer Replaying => new(202, "Replaying", "Whichever process forwards carries it out. With `count` 0 nothing matched, and nothing was requested.", "NoSniff", "NoStore")
    {
        Content =
        [
            new("application/json", new JsonObject { ["anyOf"] = new JsonArray(Schemas.Of(typeof(AcceptedAnswer)), Schemas.Of(typeof(MatchedAnswer))) },
                JsonNode.Parse("""{"name":"servicebus","id":"5f0c9d3e","replay":"5f0c9d3e"}""")),
        ],
    };

    private static Operation Read(string route, string id, string summary, params string[] parameters) => New("get", route, id, OpenApiKey.Function, "events", summary, parameters);

    private static Operation Look(string route, string id, string summary, params string[] parameters) => New("get", route, id, OpenApiKey.Admin, "operations", summary, parameters);

    private static Operation Open(string route, string id, string summary, params string[] parameters) => New("get", route, id, OpenApiKey.None, "operations", summary, parameters);

    private static Operation Act(string method, string route, string id, string summary, params string[] parameters) => New(method, route, id, OpenApiKey.Admin, "operations", summary, parameters);

    private static Operation New(string method, string route, string id, OpenApiKey key, string tag, string summary, string[] parameters) =>
        new(method, $"/api/{route}", id, key, tag, summary) { Parameters = [.. parameters.Select(name => (JsonNode)name)] };

    private static IReadOnlyList<ProblemType> Named(params string[] names) => [.. names.Select(ProblemTypes.Of)];

    private static RequestBody Body(string name, Action<JsonFields> read, string example) =>
        new(name, JsonFields.Describe(read).Schema.Trimmed(), JsonNode.Parse(example)!, OperationBodies.BytesMax, Required: true);

    private static Answer Json<T>(int status, string name, string description, string example) => new(status, name, description, "NoSniff", "NoStore")
    {
        Content = [new("application/json", Schemas.Of(typeof(T)), JsonNode.Parse(example))],
    };

    private static Content Written(string mediaType, string schema, string example) => new(mediaType, new JsonObject { ["$ref"] = $"#/components/schemas/{schema}" }, JsonNode.Parse(example));

    private static JsonNode Bounded(JsonNode array, int max)
    {
        array["maxItems"] = max;
        return array;
    }
}

using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Outpost.Forwarding;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>What a member of Outpost's own answers may hold, by its name. One name means the same everywhere.</summary>
internal static class Facets
{
    /// <summary>An event id.</summary>
    public const string EventId = "^[a-z0-9]{8}-[0-9]{4}-[0-9]{19}$";

    /// <summary>A time to seven digits, in UTC.</summary>
    public const string Time = @"^[0-9-]{10}T[0-9:]{8}\.[0-9]{7}Z$";

    /// <summary>A forwarder's name.</summary>
    public const string ForwarderName = "^[a-z0-9-]{1,50}$";

    private const int GroupTypesMax = 10;

    private static readonly Dictionary<string, string> Descriptions = new(StringComparer.Ordinal)
    {
        ["log"] = "Id of this log.",
        ["headTimestamp"] = "Time of the last commit; missing before the first.",
        ["lastTickAt"] = "When the timer last ran, to the minute where it runs in another process; null before the first tick.",
        ["schedule"] = "The setting FORWARDER_SCHEDULE.",
        ["isMissed"] = "Whether it has missed three ticks.",
        ["isKnownHere"] = "Whether the process that answers runs it.",
        ["withinSeconds"] = "After how many seconds a waiting entry is late; null for a forwarder of another app that has not said.",
        ["late"] = "How many entries have waited longer than withinSeconds.",
        ["cause"] = "What the last error means, in a few words; only while there is one.",
        ["wayOut"] = "What to do about the last error; only while there is one.",
        ["failingSince"] = "When the first of the failed runs in a row was.",
        ["consecutiveFailures"] = "How many runs in a row have failed, including the one under way.",
        ["refusedInARow"] = "Entries refused since the target last took one, or somebody retried or discarded one.",
        ["by"] = "Who asked for it, where somebody is known.",
        ["progress"] = "Entries of a replay.",
        ["pausedAt"] = "When it was paused; only while it is paused.",
        ["pausedBy"] = "Who paused it, where somebody is known.",
        ["pausedReason"] = "Why, where somebody said so.",
        ["replay"] = "Id of the replay; its messages carry it.",
        ["followers"] = "How many entries wait behind them.",
        ["behind"] = "The offset of the entry of the same subject that it waits behind; missing for an entry that was refused itself.",
        ["delivered"] = "How many entries targets accepted.",
        ["batches"] = "How many deliveries that took.",
        ["failedPartitions"] = "How often forwarding of a partition ended with an error.",
        ["lost"] = "How many entries are lost to the forwarder.",
        ["outcome"] = "What came of it by now. `unknown`: the process ended before that was known.",
        ["outcomeDetail"] = "How many entries it was about, or why it does not go on.",
        ["request"] = "The request that carries it out.",
        ["counts"] = "The partition counts that the log has had, the current one last. Only in a log that has grown.",
        ["problems"] = "What is wrong. Each has a stable code and a sentence for people.",
    };

    /// <summary>Adds what is known about a member to its schema.</summary>
    public static void Apply(JsonPropertyInfo member, JsonObject schema)
    {
        var (owner, name) = (member.DeclaringType, member.Name);
        if (Descriptions.TryGetValue(name, out var description)) schema["description"] = description;
        if (IsTime(name)) Add(schema, ("format", "date-time"), ("pattern", Time));
        switch (schema["type"] is JsonArray types ? (string)types[0]! : (string?)schema["type"])
        {
            case "integer":
                if ((Nullable.GetUnderlyingType(member.PropertyType) ?? member.PropertyType) == typeof(long)) Add(schema, ("format", "int64"));
                Whole(name, schema);
                break;
            case "number":
                Add(schema, ("minimum", 0));
                break;
            case "string" when name == "log":
                Add(schema, ("pattern", "^[a-z0-9]{8}$"));
                break;
            case "string" when name == "name":
                Add(schema, ("pattern", ForwarderName));
                break;
            case "string" when name == "code":
                Add(schema, ("pattern", "^[a-z-]+$"));
                break;
            case "string" when name == "id" && owner == typeof(ParkedAnswer):
                Add(schema, ("pattern", EventId));
                break;
            case "string" when Names(owner, name) is { } values:
                Add(schema, ("enum", new JsonArray([.. values.Select(value => (JsonNode)value)])));
                break;
            case "array" when name == "types":
                Add(schema, ("maxItems", GroupTypesMax));
                break;
            case "array" when name == "samples":
                Add(schema, ("maxItems", RecentSamples.Max));
                break;
            case "array" when name == "forwarders" && owner == typeof(StatusSample):
                Add(schema, ("maxItems", LogSample.ForwardersMax));
                break;
            case "array" when name == "partitions":
                Add(schema, ("maxItems", Limits.PartitionsMax));
                break;
        }
    }

    private static void Whole(string name, JsonObject schema)
    {
        // "lost" and "of" are at least 1, because there is no such answer where there is nothing to count.
        Add(schema, ("minimum", name is "lost" or "of" ? 1 : 0));
        if (name == "partition") Add(schema, ("maximum", Limits.PartitionsMax - 1));
    }

    private static bool IsTime(string name) => name.EndsWith("At", StringComparison.Ordinal) || name is "at" or "since" or "failingSince" or "headTimestamp";

    private static string[]? Names(Type owner, string name) => (owner.Name, name) switch
    {
        (nameof(HealthAnswer), "status") => ["ok", "degraded", "unhealthy"],
        (nameof(StatusForwarder), "state") => ["idle", "running", "paused", "failing", "orphaned"],
        (nameof(StatusRequest), "state") => ["waiting", "running", "failing", "blocked"],
        (nameof(ActionAnswer), "action") => ["pause", "resume", "replay", "retry", "discard", "take-back", "skip", "forget"],
        (nameof(ActionAnswer), "outcome") => ["done", "refused", "waiting", "running", "failing", "blocked", "taken-back", "unknown"],
        (nameof(StatusRequest), "kind") => ["replay", "retry", "discard", "retry-matching", "discard-matching"],
        _ => null,
    };

    private static void Add(JsonObject schema, params (string Name, JsonNode Value)[] facets)
    {
        foreach (var (name, value) in facets) schema[name] = value;
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Outpost.Tests.Testing;

/// <summary>The smallest domain there is: something that is counted up. Knows every step that was ever counted.</summary>
public sealed record Tally(int Count, IReadOnlyList<string> Steps);

/// <summary>One step; its name tells a test which command it came from.</summary>
public sealed record Counted(string Step);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Tally))]
[JsonSerializable(typeof(Counted))]
internal sealed partial class TallyJson : JsonSerializerContext;

internal static class Tallies
{
    public static readonly EntityType<Tally> Entity = new("tally", TallyJson.Default.Tally);

    /// <summary>Counts one step, named <paramref name="step"/>, with as many events.</summary>
    public static Command<Tally> Count(string id, string step, string? key = null, int events = 1, int? max = null) => new()
    {
        Entity = Entity,
        EntityId = id,
        Decide = tally => max is not null && (tally?.Count ?? 0) >= max
            ? new Decision<Tally>.Refused(new Refusal(RefusalKind.Conflict, "full", "It is full."))
            : new Decision<Tally>.Accepted(
                new Tally((tally?.Count ?? 0) + 1, [.. tally?.Steps ?? [], step]),
                [.. Enumerable.Range(0, events).Select(_ => NewEvent.Json(new Counted(step), TallyJson.Default.Counted))]),
        Idempotency = key is null ? null : new Idempotency($"count {id}", key, "same"),
    };

    public static string StepOf(EventEntry entry) =>
        JsonSerializer.Deserialize(entry.Payload.Span, TallyJson.Default.Counted)!.Step;
}

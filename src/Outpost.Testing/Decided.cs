using System.Text.Json;
using System.Text.Json.Nodes;

namespace Outpost.Testing;

/// <summary>What a command decided, and checks of it. The checks compare states and events by their JSON.</summary>
public sealed class Decided<TState>
    where TState : class
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    private readonly EntityType<TState> _entity;

    internal Decided(EntityType<TState> entity, TState? before, Decision<TState> decision)
    {
        _entity = entity;
        (State, Events) = (before, []);
        switch (decision)
        {
            case Decision<TState>.Accepted accepted:
                Events = [.. accepted.Events.Select(Recorded)];
                // Without events nothing is written, and the old state stays.
                if (before is null || Events.Count > 0) State = accepted.State;
                break;
            case Decision<TState>.Refused refused:
                Refusal = refused.Refusal;
                break;
            default:
                throw new OutpostTestException($"This is not a decision: {decision}");
        }
    }

    /// <summary>The state after the command; null if there is no entity.</summary>
    public TState? State { get; }

    /// <summary>The events that the command recorded, in order.</summary>
    public IReadOnlyList<NewEvent> Events { get; }

    /// <summary>Why the command was refused; null if it was accepted.</summary>
    public Refusal? Refusal { get; }

    /// <summary>Checks that the command recorded these events, in this order, and no others.</summary>
    /// <param name="expected">The events. Pass a <see cref="NewEvent"/> for an event whose content is not JSON.</param>
    /// <returns>This object, for further checks.</returns>
    /// <exception cref="OutpostTestException">The command was refused, or recorded other events.</exception>
    public Decided<TState> ThenEvents(params IReadOnlyList<object> expected)
    {
        Accepted();
        var events = expected.Select(Recorded).ToList();
        if (events.Count != Events.Count || events.Zip(Events).Any(pair => !IsSame(pair.First, pair.Second))) throw Differs("events", Text(events), Text(Events));
        return this;
    }

    /// <summary>Checks that the command was accepted and left this state.</summary>
    /// <returns>This object, for further checks.</returns>
    /// <exception cref="OutpostTestException">The command was refused, or left another state.</exception>
    public Decided<TState> ThenState(TState expected)
    {
        Accepted();
        var (want, have) = (JsonSerializer.SerializeToNode(expected, _entity.Json), State is null ? null : JsonSerializer.SerializeToNode(State, _entity.Json));
        if (!JsonNode.DeepEquals(want, have)) throw Differs("state", Text(want), Text(have));
        return this;
    }

    /// <summary>Checks that the command was accepted and recorded no events.</summary>
    /// <returns>This object, for further checks.</returns>
    /// <exception cref="OutpostTestException">The command was refused, or recorded events.</exception>
    public Decided<TState> ThenNothing() => ThenEvents();

    /// <summary>Checks that the command was refused with this code.</summary>
    /// <returns>This object, for further checks.</returns>
    /// <exception cref="OutpostTestException">The command was accepted, or refused with another code.</exception>
    public Decided<TState> ThenRefused(string code)
    {
        if (Refusal is not { } refusal) throw new OutpostTestException($"Expected the refusal {code}, but the command was accepted, with these events:\n{Text(Events)}");
        return refusal.Code == code ? this : throw Differs("refusal", code, $"{refusal.Code}: {refusal.Detail}");
    }

    private void Accepted()
    {
        if (Refusal is { } refusal) throw new OutpostTestException($"Expected the command to be accepted, but it was refused: {refusal.Code}: {refusal.Detail}");
    }

    private NewEvent Recorded(object @event) => NewEvent.From(@event, _entity.Json.Options);

    private static bool IsSame(NewEvent one, NewEvent other) =>
        one.Type == other.Type && one.ContentType == other.ContentType
        && (MediaType.IsJson(one.ContentType)
            ? JsonNode.DeepEquals(JsonNode.Parse(one.Payload.Span), JsonNode.Parse(other.Payload.Span))
            : one.Payload.Span.SequenceEqual(other.Payload.Span));

    private static OutpostTestException Differs(string what, string expected, string actual) => new($"Expected {what}:\n{expected}\nActual {what}:\n{actual}");

    private static string Text(JsonNode? json) => json?.ToJsonString(Readable) ?? "(there is no such entity)";

    private static string Text(IReadOnlyList<NewEvent> events) => events.Count == 0 ? "(none)" : string.Join('\n', events.Select(Text));

    private static string Text(NewEvent @event) => MediaType.IsJson(@event.ContentType)
        ? $"{@event.Type} {Text(JsonNode.Parse(@event.Payload.Span))}"
        : $"{@event.Type} {MediaType.TextOrNull(@event.ContentType, @event.Payload.Span) ?? Convert.ToHexString(@event.Payload.Span)} ({@event.ContentType}, {@event.Payload.Length} bytes)";
}

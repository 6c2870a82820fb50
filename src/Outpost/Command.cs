using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Outpost;

/// <summary>A kind of domain entity: its name in keys and subjects, and how its state is stored.</summary>
/// <param name="Name">Short name, for example <c>order</c>; the subject of its events is <c>{Name}/{id}</c>.</param>
/// <param name="Json">How the state is written and read; its options also write the entity's events.</param>
public sealed record EntityType<TState>(string Name, JsonTypeInfo<TState> Json)
    where TState : class
{
    /// <summary>Creates a kind of entity whose states and events are JSON with camelCase names, written by reflection.</summary>
    /// <param name="name">Short name, for example <c>order</c>.</param>
    public EntityType(string name)
        : this(name, (JsonTypeInfo<TState>)JsonSerializerOptions.Web.GetTypeInfo(typeof(TState)))
    {
    }

    /// <summary>The subject of an entity's events: <c>{Name}/{id}</c>.</summary>
    public string Subject(string entityId) => $"{Name}/{entityId}";

    /// <summary>The state of an entity as stored.</summary>
    /// <exception cref="DamagedRowException">What is stored is not such a state.</exception>
    internal TState Read(StoredEntity stored) => Read(stored.State, stored.Place);

    internal TState Read(StoredReceipt receipt) => Read(receipt.State, receipt.Place);

    private TState Read(ReadOnlyMemory<byte> state, (string PartitionKey, string RowKey) place)
    {
        try
        {
            return JsonSerializer.Deserialize(state.Span, Json) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new DamagedRowException(place.PartitionKey, place.RowKey, "State", $"is not the JSON of {Name}: {e.Message}", innerException: e);
        }
    }
}

/// <summary>One command on one domain entity.</summary>
public sealed record Command<TState>
    where TState : class
{
    /// <summary>The kind of entity.</summary>
    public required EntityType<TState> Entity { get; init; }

    /// <summary>The entity's id: any Unicode text whose encoded form has at most <see cref="Limits.KeyPartCharactersMax"/> characters.</summary>
    public required string EntityId { get; init; }

    /// <summary>
    /// Decides on the current state, which is null if there is no entity yet. The function must be pure: after a lost race, Outpost
    /// calls it again with fresh state.
    /// </summary>
    public required Func<TState?, Decision<TState>> Decide { get; init; }

    /// <summary>
    /// Whether the entity is most likely new. The first decision is then made without reading the entity, which saves a request.
    /// This is only a hint: if the entity exists, the commit notices it, and the decision is made again. Default false.
    /// </summary>
    public bool LikelyNew { get; init; }

    /// <summary>The versions that the caller accepts as current; null accepts any.</summary>
    public VersionCondition? IfMatch { get; init; }

    /// <summary>Makes the command happen once, however often it is sent. If null, each call is a command of its own.</summary>
    public Idempotency? Idempotency { get; init; }

    /// <summary>W3C <c>traceparent</c> to keep with the events. If null, the events keep that of the current span, if there is one.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Correlation id to keep with the events, at most <see cref="Limits.HeaderCharactersMax"/> characters; null for none.</summary>
    public string? CorrelationId { get; init; }
}

/// <summary>How Outpost recognises a repeat of a command.</summary>
/// <param name="Scope">
/// Where the key is valid: method, path and, if the request names one, the entity. A scope and key must always lead to the same
/// entity, because the receipt is kept beside the entity. If your server makes the entity's id, derive the id from scope and key.
/// </param>
/// <param name="Key">The caller's key, 1 to <see cref="Limits.IdempotencyKeyMax"/> characters.</param>
/// <param name="Fingerprint">Hash of the request. A different hash under the same key is a mistake of the caller.</param>
public sealed record Idempotency(string Scope, string Key, string Fingerprint);

/// <summary>The versions of an entity that a caller accepts, from an <c>If-Match</c> header (RFC 9110, 13.1.1).</summary>
/// <param name="Versions">The accepted versions; null accepts any version, but the entity must exist (<c>*</c>).</param>
public sealed record VersionCondition(IReadOnlyList<long>? Versions)
{
    /// <summary>Whether the caller accepts this version of the entity; null is an entity that does not exist.</summary>
    internal bool Accepts(long? version) => version is { } v && (Versions is null || Versions.Contains(v));
}

/// <summary>The state of an entity, and its version: 1 when the entity is created, one more with each change.</summary>
public sealed record Versioned<TState>(TState State, long Version)
    where TState : class;

/// <summary>The outcome of a command.</summary>
public abstract record CommandResult<TState>
    where TState : class
{
    private CommandResult()
    {
    }

    /// <summary>Calls the function for this outcome, and returns its result.</summary>
    /// <param name="done">The command is done, now or before.</param>
    /// <param name="refused">The command's own rules refuse it.</param>
    /// <param name="stale">The caller has not seen the current version.</param>
    /// <param name="keyReused">The idempotency key belongs to another request.</param>
    /// <param name="tooLarge">State or events do not fit in one transaction.</param>
    /// <param name="busy">Nothing was written. A later try may succeed.</param>
    /// <param name="unknown">The outcome is not known. Send the command again with the same key to learn it.</param>
    public T Match<T>(
        Func<Done, T> done,
        Func<Refusal, T> refused,
        Func<Stale, T> stale,
        Func<KeyReused, T> keyReused,
        Func<TooLarge, T> tooLarge,
        Func<Busy, T> busy,
        Func<Unknown, T> unknown) => this switch
        {
            Done success => done(success),
            Refused no => refused(no.Refusal),
            Stale old => stale(old),
            KeyReused reused => keyReused(reused),
            TooLarge large => tooLarge(large),
            Busy full => busy(full),
            Unknown open => unknown(open),
            _ => throw new InvalidOperationException($"Unknown command result {GetType().Name}."),
        };

    /// <summary>The command is done, now or (if <paramref name="Replayed"/>) before. State and version are those right after it.</summary>
    public sealed record Done(TState State, long Version, bool Replayed) : CommandResult<TState>;

    /// <summary>The command's own rules refuse it.</summary>
    public sealed record Refused(Refusal Refusal) : CommandResult<TState>;

    /// <summary><see cref="Command{TState}.IfMatch"/> does not accept the current version, which is null if there is no entity.</summary>
    public sealed record Stale(long? CurrentVersion) : CommandResult<TState>;

    /// <summary>The idempotency key was used before for another request.</summary>
    public sealed record KeyReused : CommandResult<TState>;

    /// <summary>State or events do not fit in one transaction. Nothing was written.</summary>
    public sealed record TooLarge(string Detail) : CommandResult<TState>;

    /// <summary>Too much is waiting, or too many commands compete for the entity. Nothing was written.</summary>
    public sealed record Busy(string Detail) : CommandResult<TState>;

    /// <summary>The store did not say whether it took the command. Send the command again with the same key to learn it.</summary>
    public sealed record Unknown(string Detail) : CommandResult<TState>;
}

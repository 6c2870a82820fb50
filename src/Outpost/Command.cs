using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Outpost;

/// <summary>A kind of domain entity: its name in keys and subjects, and how its state is stored.</summary>
/// <param name="Name">Short name, for example <c>order</c>; the subject of its events is <c>{Name}/{id}</c>.</param>
/// <param name="Json">How the state is written and read; its options also write the entity's events.</param>
public sealed record EntityType<TState>(string Name, JsonTypeInfo<TState> Json)
    where TState : class
{
    /// <summary>States and events are written as JSON with camelCase names, by reflection.</summary>
    /// <param name="name">Short name, for example <c>order</c>.</param>
    public EntityType(string name)
        : this(name, (JsonTypeInfo<TState>)JsonSerializerOptions.Web.GetTypeInfo(typeof(TState)))
    {
    }

    /// <summary>The subject of an entity's events.</summary>
    public string Subject(string entityId) => $"{Name}/{entityId}";

    /// <summary>The state of an entity as stored.</summary>
    /// <exception cref="DamagedRowException">What is stored is no such state.</exception>
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

    /// <summary>Which entity; any Unicode text whose key form fits <see cref="Limits.KeyPartCharactersMax"/>.</summary>
    public required string EntityId { get; init; }

    /// <summary>
    /// Decides on the current state (null: there is none yet). Pure: after a lost race it is called again with fresh state.
    /// </summary>
    public required Func<TState?, Decision<TState>> Decide { get; init; }

    /// <summary>
    /// The entity is most likely new: the first decision is made without reading it, which saves a request.
    /// Only a hint: should the entity exist, the commit notices and the decision is made again.
    /// </summary>
    public bool LikelyNew { get; init; }

    /// <summary>Versions the caller accepts as current; null accepts any.</summary>
    public VersionCondition? IfMatch { get; init; }

    /// <summary>Makes the command happen once however often it is sent; null: each call is a command of its own.</summary>
    public Idempotency? Idempotency { get; init; }

    /// <summary>W3C <c>traceparent</c> to keep with the events; null: that of the current span, if there is one.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Correlation id to keep with the events.</summary>
    public string? CorrelationId { get; init; }
}

/// <summary>How a repeat of a command is recognised.</summary>
/// <param name="Scope">
/// Where the key is valid: method, path, and the entity that the request names, where it names one. A scope and key must
/// always lead to the same entity, for the receipt is kept beside it; so where the server makes an entity's id, it
/// derives the id from scope and key.
/// </param>
/// <param name="Key">The caller's key, 1 to <see cref="Limits.IdempotencyKeyMax"/> characters.</param>
/// <param name="Fingerprint">Hash of the request: another one under the same key is a mistake of the caller.</param>
public sealed record Idempotency(string Scope, string Key, string Fingerprint);

/// <summary>The versions of an entity that a caller accepts, from an <c>If-Match</c> header (RFC 9110, 13.1.1).</summary>
/// <param name="Versions">Any of these; null means any version, but the entity must exist (<c>*</c>).</param>
public sealed record VersionCondition(IReadOnlyList<long>? Versions)
{
    /// <summary>Whether the entity at this version (null: it does not exist) is one the caller accepts.</summary>
    internal bool Accepts(long? version) => version is { } v && (Versions is null || Versions.Contains(v));
}

/// <summary>The state of an entity, and its version: from 1, one more with each change.</summary>
public sealed record Versioned<TState>(TState State, long Version)
    where TState : class;

/// <summary>What came of a command.</summary>
public abstract record CommandResult<TState>
    where TState : class
{
    private CommandResult()
    {
    }

    /// <summary>The answer for what came of it; every case has one.</summary>
    /// <param name="done">It is done, now or before.</param>
    /// <param name="refused">Its own rules refuse it.</param>
    /// <param name="stale">The caller has not seen the current version.</param>
    /// <param name="keyReused">The idempotency key belongs to another request.</param>
    /// <param name="tooLarge">It does not fit in one transaction.</param>
    /// <param name="busy">Nothing was written; later it may be.</param>
    /// <param name="unknown">Nobody knows; sending it again with the same key tells.</param>
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

    /// <summary>Done, now or (when <paramref name="Replayed"/>) before; state and version are those right after it.</summary>
    public sealed record Done(TState State, long Version, bool Replayed) : CommandResult<TState>;

    /// <summary>The command's own rules refuse it.</summary>
    public sealed record Refused(Refusal Refusal) : CommandResult<TState>;

    /// <summary><see cref="Command{TState}.IfMatch"/> does not accept the current version (null: there is no entity).</summary>
    public sealed record Stale(long? CurrentVersion) : CommandResult<TState>;

    /// <summary>The idempotency key was used before for another request.</summary>
    public sealed record KeyReused : CommandResult<TState>;

    /// <summary>State or events do not fit in one transaction; nothing was written.</summary>
    public sealed record TooLarge(string Detail) : CommandResult<TState>;

    /// <summary>Too much is waiting, or the entity is too contended; nothing was written.</summary>
    public sealed record Busy(string Detail) : CommandResult<TState>;

    /// <summary>The store did not say whether it took the command; sending it again with the same key tells.</summary>
    public sealed record Unknown(string Detail) : CommandResult<TState>;
}

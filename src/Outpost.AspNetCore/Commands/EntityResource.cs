using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>How HTTP shows a kind of entity: its ids, the size of bodies, and what an answer holds.</summary>
/// <param name="Entity">The entity type.</param>
public sealed record EntityResource<TState>(EntityType<TState> Entity)
    where TState : class
{
    private const int DerivedIdCharacters = 20;

    private Func<Versioned<TState>, int, string, IResult> _answer = (entity, status, tag) => new JsonAnswer<TState>(entity.State, Entity.Json, status, tag);

    /// <summary>The most bytes of a command's body; a larger body is answered 413. Default 64 KiB.</summary>
    public int BodyBytesMax { get; init; } = 64 * 1024;

    /// <summary>The beginning of ids that the server makes. Default: empty.</summary>
    public string IdPrefix { get; init; } = "";

    /// <summary>Makes answers hold the result of <paramref name="view"/>. Without it they hold the state itself.</summary>
    public EntityResource<TState> WithView<TView>(JsonTypeInfo<TView> json, Func<Versioned<TState>, TView> view) =>
        this with { _answer = (entity, status, tag) => new JsonAnswer<TView>(view(entity), json, status, tag) };

    internal IResult Answer(TState state, long version, int status) =>
        _answer(new Versioned<TState>(state, version), status, string.Create(CultureInfo.InvariantCulture, $"\"{version}\""));

    internal Problem NotFound(string id) => Problem.NotFound($"{Entity.Name}-not-found", $"There is no {Entity.Name} '{id}'.");

    /// <summary>
    /// An id for an entity that the request does not name. It is the same for every repeat, in every version of the
    /// app.
    /// </summary>
    internal string NewId(Idempotency? idempotency, Func<Guid> newId) => IdPrefix + (idempotency is null
        ? newId().ToString("N")
        : Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{idempotency.Scope}\n{idempotency.Key}")))[..DerivedIdCharacters]);
}

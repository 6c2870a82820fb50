using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// Commands and reads of entities over HTTP: headers, body, idempotency and preconditions are read and checked, the
/// command runs, and its result becomes the answer. One call for each endpoint.
/// </summary>
public sealed class EntityApi
{
    private readonly EventLog _log;
    private readonly Sources _sources;
    private readonly Links _links;
    private readonly FaultBoundary _boundary;

    internal EntityApi(EventLog log, Sources sources, Links links, FaultBoundary boundary) =>
        (_log, _sources, _links, _boundary) = (log, sources, links, boundary);

    /// <summary>Runs a command without a body (or <c>{}</c>) on the entity that the path names: 200 with its new state.</summary>
    /// <param name="request">The request.</param>
    /// <param name="resource">The kind of entity.</param>
    /// <param name="id">The entity's id, from the path.</param>
    /// <param name="decide">Decides on the current state (null: there is none). Pure: it may be called again.</param>
    /// <param name="cancellationToken">The caller left, or the host stops.</param>
    public Task<IResult> RunAsync<TState>(
        HttpRequest request, EntityResource<TState> resource, string id, Func<TState?, Decision<TState>> decide, CancellationToken cancellationToken)
        where TState : class =>
        RunAsync(request, resource, id, hasBody: false, _ => true, (state, _) => decide(state), cancellationToken);

    /// <summary>Runs a command on the entity that the path names: 200 with its new state.</summary>
    /// <param name="request">The request.</param>
    /// <param name="resource">The kind of entity.</param>
    /// <param name="id">The entity's id, from the path.</param>
    /// <param name="read">Reads the members of the body; what is wrong with them is answered with their names.</param>
    /// <param name="decide">Decides on the current state (null: there is none) and the body. Pure: it may be called again.</param>
    /// <param name="cancellationToken">The caller left, or the host stops.</param>
    public Task<IResult> RunAsync<TState, TBody>(
        HttpRequest request,
        EntityResource<TState> resource,
        string id,
        Func<JsonFields, TBody> read,
        Func<TState?, TBody, Decision<TState>> decide,
        CancellationToken cancellationToken)
        where TState : class =>
        RunAsync(request, resource, id, hasBody: true, read, decide, cancellationToken);

    /// <summary>
    /// Runs a command that makes an entity: 201 with <c>Location</c> and its state. The body may name it; else the server
    /// does, the same name for every repeat with the same key.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="resource">The kind of entity.</param>
    /// <param name="read">Reads the members of the body; what is wrong with them is answered with their names.</param>
    /// <param name="idOf">The id that the body names, or null.</param>
    /// <param name="decide">Decides on the current state (null: there is none), the id and the body. Pure: it may be called again.</param>
    /// <param name="cancellationToken">The caller left, or the host stops.</param>
    public Task<IResult> CreateAsync<TState, TBody>(
        HttpRequest request,
        EntityResource<TState> resource,
        Func<JsonFields, TBody> read,
        Func<TBody, string?> idOf,
        Func<TState?, string, TBody, Decision<TState>> decide,
        CancellationToken cancellationToken)
        where TState : class => _boundary.RunAsync(request, async () =>
        {
            var (command, body, problem) = await ReadAsync(request, resource.BodyBytesMax, hasBody: true, read, cancellationToken);
            if (command is null) return problem!;
            // A named entity is part of the scope, an unnamed one gets an id made of scope and key: either way the key leads to
            // one entity only.
            var named = idOf(body!);
            var idempotency = command.Idempotency(named is null ? Scope(request) : $"{Scope(request)} {resource.Entity.Subject(named)}");
            var id = named ?? resource.NewId(idempotency, _sources.NewId);
            var result = await _log.ExecuteAsync(
                command.On(resource.Entity, id, idempotency, state => decide(state, id, body!)) with { LikelyNew = true }, cancellationToken);
            return result.ToHttp(request.HttpContext.Response, done =>
            {
                request.HttpContext.Response.Headers.Location = _links.Below(request, id);
                return resource.Answer(done.State, done.Version, StatusCodes.Status201Created);
            });
        }, cancellationToken);

    /// <summary>An entity as it is now: 200 with its version as <c>ETag</c>, or 404.</summary>
    public Task<IResult> ReadAsync<TState>(HttpRequest request, EntityResource<TState> resource, string id, CancellationToken cancellationToken)
        where TState : class => _boundary.RunAsync(request, async () =>
        {
            if (QueryParameters.Refuse(request.Query) is { } unknown) return unknown;
            var found = EntityId.IsAllowed(id) ? await _log.ReadAsync(resource.Entity, id, cancellationToken) : null;
            return found is null ? resource.NotFound(id) : resource.Answer(found.State, found.Version, StatusCodes.Status200OK);
        }, cancellationToken);

    private Task<IResult> RunAsync<TState, TBody>(
        HttpRequest request,
        EntityResource<TState> resource,
        string id,
        bool hasBody,
        Func<JsonFields, TBody> read,
        Func<TState?, TBody, Decision<TState>> decide,
        CancellationToken cancellationToken)
        where TState : class => _boundary.RunAsync(request, async () =>
        {
            var (command, body, problem) = await ReadAsync(request, resource.BodyBytesMax, hasBody, read, cancellationToken);
            if (command is null) return problem!;
            if (!EntityId.IsAllowed(id)) return resource.NotFound(id);
            var result = await _log.ExecuteAsync(
                command.On(resource.Entity, id, command.Idempotency(Scope(request)), state => decide(state, body!)), cancellationToken);
            return result.ToHttp(request.HttpContext.Response, done => resource.Answer(done.State, done.Version, StatusCodes.Status200OK));
        }, cancellationToken);

    private static async Task<(Request? Command, TBody? Body, IResult? Problem)> ReadAsync<TBody>(
        HttpRequest request, int bytesMax, bool hasBody, Func<JsonFields, TBody> read, CancellationToken cancellationToken)
    {
        if (QueryParameters.Refuse(request.Query) is { } unknown) return (null, default, unknown);
        var (headers, badHeader) = CommandHeaders.Read(request);
        if (headers is null) return (null, default, badHeader);
        var (body, badBody) = await JsonBody.ReadAsync(request, bytesMax, optional: !hasBody, cancellationToken);
        if (body is null) return (null, default, badBody);
        var fields = new JsonFields(body.Root);
        var value = read(fields);
        return fields.Problem() is { } badFields ? (null, default, badFields) : (new Request(headers, body.Bytes), value, null);
    }

    // Method and path, which names the entity where it names one; as an app without the prefix of the Functions host has them.
    private static string Scope(HttpRequest request)
    {
        var path = (request.Path.Value ?? "").TrimEnd('/');
        return $"{request.Method.ToUpperInvariant()} {(path.StartsWith("/api/", StringComparison.OrdinalIgnoreCase) ? path["/api".Length..] : path)}";
    }

    private sealed record Request(CommandHeaders Headers, byte[] Body)
    {
        public Idempotency? Idempotency(string scope) => Headers.Idempotency(scope, Body);

        public Command<TState> On<TState>(EntityType<TState> entity, string id, Idempotency? idempotency, Func<TState?, Decision<TState>> decide)
            where TState : class => new()
            {
                Entity = entity,
                EntityId = id,
                Decide = decide,
                IfMatch = Headers.IfMatch,
                Idempotency = idempotency,
                TraceParent = Headers.TraceParent,
                CorrelationId = Headers.CorrelationId,
            };
    }
}

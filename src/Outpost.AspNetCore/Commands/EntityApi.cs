using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// Runs commands on entities and reads entities over HTTP. It checks headers, body, idempotency key and preconditions,
/// runs the command, and turns the result into the answer. An endpoint makes one call.
/// </summary>
public sealed class EntityApi
{
    private readonly EventLog _log;
    private readonly Sources _sources;
    private readonly Links _links;
    private readonly FaultBoundary _boundary;

    internal EntityApi(EventLog log, Sources sources, Links links, FaultBoundary boundary) =>
        (_log, _sources, _links, _boundary) = (log, sources, links, boundary);

    /// <summary>
    /// Runs a command without a body (or with <c>{}</c>) on the entity that the path names. Answers 200 with the new
    /// state.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="resource">The kind of entity.</param>
    /// <param name="id">The entity's id, from the path.</param>
    /// <param name="decide">
    /// Decides on the current state (null: there is none). It must be pure, because it may be called again.
    /// </param>
    /// <param name="cancellationToken">The caller left, or the host stops.</param>
    public Task<IResult> RunAsync<TState>(
        HttpRequest request, EntityResource<TState> resource, string id, Func<TState?, Decision<TState>> decide, CancellationToken cancellationToken)
        where TState : class =>
        RunAsync(request, resource, id, hasBody: false, _ => true, (state, _) => decide(state), cancellationToken);

    /// <summary>Runs a command on the entity that the path names. Answers 200 with the new state.</summary>
    /// <param name="request">The request.</param>
    /// <param name="resource">The kind of entity.</param>
    /// <param name="id">The entity's id, from the path.</param>
    /// <param name="read">Reads the members of the body. The answer names those that are wrong.</param>
    /// <param name="decide">
    /// Decides on the current state (null: there is none) and the body. It must be pure, because it may be called
    /// again.
    /// </param>
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
    /// Runs a command that creates an entity. Answers 201 with <c>Location</c> and the entity's state. The body may
    /// name the entity. If it does not, the server makes an id, which is the same for every repeat with the same key.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="resource">The kind of entity.</param>
    /// <param name="read">Reads the members of the body. The answer names those that are wrong.</param>
    /// <param name="idOf">The id in the body; null: the body names none.</param>
    /// <param name="decide">
    /// Decides on the current state (null: there is none), the id and the body. It must be pure, because it may be
    /// called again.
    /// </param>
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
            // The scope holds the id of a named entity. The id of an unnamed entity is made of scope and key. Either
            // way a key leads to one entity only.
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

    /// <summary>Reads an entity. Answers 200 with its version as <c>ETag</c>, or 404.</summary>
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

    // The scope is the method and the path, which names the entity where it names one. It leaves out the prefix of the
    // Functions host, so an app without that prefix has the same scopes.
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

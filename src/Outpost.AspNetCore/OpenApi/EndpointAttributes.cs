namespace Outpost.AspNetCore;

/// <summary>
/// What the OpenAPI document says about an endpoint or function that <see cref="EntityApi"/> answers. Without it the document has only
/// the endpoint's route and method.
/// </summary>
/// <param name="summary">A few words.</param>
/// <param name="view">What a success holds.</param>
[AttributeUsage(AttributeTargets.Method)]
public abstract class EntityEndpointAttribute(string summary, Type view) : Attribute
{
    /// <summary>A few words.</summary>
    public string Summary { get; } = summary;

    /// <summary>What a success holds.</summary>
    public Type View { get; } = view;
}

/// <summary>The endpoint is a command: it takes Idempotency-Key and If-Match, and answers the new state.</summary>
/// <typeparam name="TView">What a success holds: the state, or the view of it.</typeparam>
/// <param name="summary">A few words.</param>
public sealed class EntityCommandAttribute<TView>(string summary) : EntityEndpointAttribute(summary, typeof(TView)), IEntityCommand
{
    /// <summary>The body, an <see cref="ICommandBody{TSelf}"/>. Default: the command has none.</summary>
    public Type? Body { get; init; }

    /// <summary>Whether it makes the entity (201 with Location) and the body may name it. Default: the path names it.</summary>
    public bool Creates { get; init; }
}

/// <summary>The endpoint reads an entity: its version is the ETag.</summary>
/// <typeparam name="TView">What a success holds: the state, or the view of it.</typeparam>
/// <param name="summary">A few words.</param>
public sealed class EntityReadAttribute<TView>(string summary) : EntityEndpointAttribute(summary, typeof(TView));

/// <summary>A refusal of the app's own rules that the endpoint may answer. The document names it, and its problem page explains it.</summary>
/// <param name="status">403, 404, 409 or 422, as <see cref="Refusal"/> says.</param>
/// <param name="code">The refusal's code.</param>
/// <param name="meaning">What happened, in a sentence.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RefusesAttribute(int status, string code, string meaning) : Attribute
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>The refusal's code, last segment of the problem's <c>type</c>.</summary>
    public string Code { get; } = code;

    /// <summary>What happened, in a sentence.</summary>
    public string Meaning { get; } = meaning;
}

// What the two type arguments of one attribute have in common.
internal interface IEntityCommand
{
    Type? Body { get; }

    bool Creates { get; }
}

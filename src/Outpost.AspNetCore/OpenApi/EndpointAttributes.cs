namespace Outpost.AspNetCore;

/// <summary>
/// The endpoint, or function, is a command that <see cref="EntityApi"/> answers: it takes Idempotency-Key and If-Match, and answers the
/// new state. Without this the OpenAPI document has only the endpoint's route and method.
/// </summary>
/// <typeparam name="TView">What a success holds: the state, or the view of it.</typeparam>
/// <param name="summary">A few words.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EntityCommandAttribute<TView>(string summary) : Attribute, IEntityCommand
{
    /// <summary>A few words.</summary>
    public string Summary { get; } = summary;

    /// <summary>The body, an <see cref="ICommandBody{TSelf}"/>. Default: the command has none.</summary>
    public Type? Body { get; init; }

    /// <summary>Whether it makes the entity (201 with Location) and the body may name it. Default: the path names it.</summary>
    public bool Creates { get; init; }

    Type IEntityEndpoint.View => typeof(TView);
}

/// <summary>The endpoint, or function, reads an entity by <see cref="EntityApi"/>: its version is the ETag.</summary>
/// <typeparam name="TView">What a success holds: the state, or the view of it.</typeparam>
/// <param name="summary">A few words.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EntityReadAttribute<TView>(string summary) : Attribute, IEntityEndpoint
{
    /// <summary>A few words.</summary>
    public string Summary { get; } = summary;

    Type IEntityEndpoint.View => typeof(TView);
}

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

// What the OpenAPI document takes of either attribute, whatever its type argument.
internal interface IEntityEndpoint
{
    string Summary { get; }

    Type View { get; }
}

internal interface IEntityCommand : IEntityEndpoint
{
    Type? Body { get; }

    bool Creates { get; }
}

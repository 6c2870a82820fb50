namespace Outpost.AspNetCore;

/// <summary>
/// Marks an endpoint or function as a command that <see cref="EntityApi"/> answers. It takes Idempotency-Key and
/// If-Match, and answers the new state. Without this attribute, the OpenAPI document has only the endpoint's route and
/// method.
/// </summary>
/// <typeparam name="TView">What a success holds: the state, or the view of it.</typeparam>
/// <param name="summary">What it does, in a few words.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EntityCommandAttribute<TView>(string summary) : Attribute, IEntityCommand
{
    /// <summary>What it does, in a few words.</summary>
    public string Summary { get; } = summary;

    /// <summary>Type of the body, an <see cref="ICommandBody{TSelf}"/>. Default null: the command has no body.</summary>
    public Type? Body { get; init; }

    /// <summary>
    /// Whether it creates the entity (201 with Location), so that the body may name it. Default false: the path names
    /// it.
    /// </summary>
    public bool Creates { get; init; }

    Type IEntityEndpoint.View => typeof(TView);
}

/// <summary>
/// Marks an endpoint or function that reads an entity by <see cref="EntityApi"/>. The entity's version is the ETag.
/// </summary>
/// <typeparam name="TView">What a success holds: the state, or the view of it.</typeparam>
/// <param name="summary">What it does, in a few words.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EntityReadAttribute<TView>(string summary) : Attribute, IEntityEndpoint
{
    /// <summary>What it does, in a few words.</summary>
    public string Summary { get; } = summary;

    Type IEntityEndpoint.View => typeof(TView);
}

/// <summary>
/// Names a refusal of the app's own rules that the endpoint may answer. The OpenAPI document lists it, and its problem
/// page explains it.
/// </summary>
/// <param name="status">HTTP status: 403, 404, 409 or 422, as <see cref="Refusal"/> says.</param>
/// <param name="code">The refusal's code.</param>
/// <param name="meaning">What happened, in a sentence.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RefusesAttribute(int status, string code, string meaning) : Attribute
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>The refusal's code, which is the last segment of the problem's <c>type</c>.</summary>
    public string Code { get; } = code;

    /// <summary>What happened, in a sentence.</summary>
    public string Meaning { get; } = meaning;
}

// What the OpenAPI document needs from both attributes, whatever their type arguments.
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

namespace Outpost;

/// <summary>What a pure decision function returns: a new state with its events, or a refusal.</summary>
/// <typeparam name="TState">Immutable state of the domain entity.</typeparam>
public abstract record Decision<TState>
    where TState : class
{
    private Decision()
    {
    }

    /// <summary>Makes a refusal a decision.</summary>
    public static implicit operator Decision<TState>(Refusal refusal) => new Refused(refusal);

    /// <summary>The new state, and the events that led to it. Without events, nothing is written and the old state stays.</summary>
    /// <param name="State">The new state.</param>
    /// <param name="Events">
    /// The events in order, at most <see cref="Limits.EventsPerCommandMax"/>. Each is an object, which is stored as its JSON under its
    /// <see cref="EventName"/>, or a <see cref="NewEvent"/> for any other content.
    /// </param>
    public sealed record Accepted(TState State, IReadOnlyList<object> Events) : Decision<TState>;

    /// <summary>The rules forbid the command in this state.</summary>
    public sealed record Refused(Refusal Refusal) : Decision<TState>;
}

/// <summary>Creates decisions.</summary>
public static class Decision
{
    /// <summary>Accepts a command, with the new state and the events that led to it. Without events, nothing changes.</summary>
    public static Decision<TState> Accept<TState>(TState state, params object[] events)
        where TState : class => new Decision<TState>.Accepted(state, events);
}

/// <summary>Why a command's own rules refuse it.</summary>
/// <param name="Kind">What the refusal means for the caller.</param>
/// <param name="Code">A stable name: the last segment of a problem's <c>type</c>.</param>
/// <param name="Detail">A sentence for people.</param>
public sealed record Refusal(RefusalKind Kind, string Code, string Detail)
{
    /// <summary>Refuses because there is no such entity.</summary>
    public static Refusal NotFound(string code, string detail) => new(RefusalKind.NotFound, code, detail);

    /// <summary>Refuses because the entity's state forbids the command.</summary>
    public static Refusal Conflict(string code, string detail) => new(RefusalKind.Conflict, code, detail);

    /// <summary>Refuses because the caller may not do this.</summary>
    public static Refusal Forbidden(string code, string detail) => new(RefusalKind.Forbidden, code, detail);

    /// <summary>Refuses because the command is not valid, whatever the state.</summary>
    public static Refusal Invalid(string code, string detail) => new(RefusalKind.Invalid, code, detail);
}

/// <summary>What a refusal means for the caller.</summary>
public enum RefusalKind
{
    /// <summary>There is no such entity: HTTP status 404.</summary>
    NotFound,

    /// <summary>The entity's state forbids the command: HTTP status 409.</summary>
    Conflict,

    /// <summary>The caller may not do this: HTTP status 403.</summary>
    Forbidden,

    /// <summary>The command is not valid, whatever the state: HTTP status 422.</summary>
    Invalid,
}

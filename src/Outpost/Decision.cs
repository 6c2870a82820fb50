namespace Outpost;

/// <summary>What a pure decision function answers: a new state with its events, or a refusal.</summary>
/// <typeparam name="TState">State of the domain entity, immutable.</typeparam>
public abstract record Decision<TState>
    where TState : class
{
    private Decision()
    {
    }

    /// <summary>The new state and the events that led to it. Without events nothing is written and the old state stands.</summary>
    public sealed record Accepted(TState State, IReadOnlyList<NewEvent> Events) : Decision<TState>;

    /// <summary>The rules forbid the command in this state.</summary>
    public sealed record Refused(Refusal Refusal) : Decision<TState>;
}

/// <summary>Why a command's own rules refuse it.</summary>
/// <param name="Kind">What it means for the caller.</param>
/// <param name="Code">A stable name, the last segment of a problem's <c>type</c>.</param>
/// <param name="Detail">A sentence for people.</param>
public sealed record Refusal(RefusalKind Kind, string Code, string Detail);

/// <summary>What a refusal means for the caller.</summary>
public enum RefusalKind
{
    /// <summary>There is no such entity.</summary>
    NotFound,

    /// <summary>The entity's state forbids the command.</summary>
    Conflict,
}

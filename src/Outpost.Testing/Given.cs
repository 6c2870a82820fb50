using System.Text.Json;

namespace Outpost.Testing;

/// <summary>Tests decisions without a log: <c>Stock.Entity.Given(state).When(decide).ThenEvents(…)</c>.</summary>
public static class EntityTests
{
    /// <summary>Starts a test of a decision on an entity.</summary>
    /// <param name="entity">The kind of entity.</param>
    /// <param name="state">The current state; null if the entity does not exist yet.</param>
    public static Given<TState> Given<TState>(this EntityType<TState> entity, TState? state = null)
        where TState : class => new(entity, state);
}

/// <summary>The entity that the tested command finds.</summary>
public sealed class Given<TState>
    where TState : class
{
    private readonly EntityType<TState> _entity;
    private readonly TState? _state;

    internal Given(EntityType<TState> entity, TState? state)
    {
        _entity = entity;
        // A decision in an app sees only what the stored JSON keeps, so the state goes through JSON here too.
        _state = state is null ? null : JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(state, entity.Json), entity.Json);
    }

    /// <summary>Runs an earlier command, which must be accepted.</summary>
    /// <exception cref="OutpostTestException">The command was refused.</exception>
    public Given<TState> After(Func<TState?, Decision<TState>> decide) => When(decide) switch
    {
        { Refusal: { } refusal } => throw new OutpostTestException($"An earlier command was refused: {refusal.Code}: {refusal.Detail}"),
        var decided => new(_entity, decided.State),
    };

    /// <summary>Runs the command under test.</summary>
    public Decided<TState> When(Func<TState?, Decision<TState>> decide) => new(_entity, _state, decide(_state));
}

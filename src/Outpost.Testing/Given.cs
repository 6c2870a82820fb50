using System.Text.Json;

namespace Outpost.Testing;

/// <summary>Tests of decisions, by themselves: <c>Stock.Entity.Given(state).When(decide).ThenEvents(…)</c>.</summary>
public static class EntityTests
{
    /// <summary>Begins a test of a decision on an entity.</summary>
    /// <param name="entity">The kind of entity.</param>
    /// <param name="state">What it is now; null: it does not exist yet.</param>
    public static Given<TState> Given<TState>(this EntityType<TState> entity, TState? state = null)
        where TState : class => new(entity, state);
}

/// <summary>An entity as a command finds it.</summary>
public sealed class Given<TState>
    where TState : class
{
    private readonly EntityType<TState> _entity;
    private readonly TState? _state;

    internal Given(EntityType<TState> entity, TState? state)
    {
        _entity = entity;
        // As it is stored: what its JSON does not keep, no decision will see.
        _state = state is null ? null : JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(state, entity.Json), entity.Json);
    }

    /// <summary>An earlier command, which has to be accepted.</summary>
    /// <exception cref="OutpostTestException">It was refused.</exception>
    public Given<TState> After(Func<TState?, Decision<TState>> decide) => When(decide) switch
    {
        { Refusal: { } refusal } => throw new OutpostTestException($"An earlier command was refused: {refusal.Code}: {refusal.Detail}"),
        var decided => new(_entity, decided.State),
    };

    /// <summary>The command that is tested.</summary>
    public Decided<TState> When(Func<TState?, Decision<TState>> decide) => new(_entity, _state, decide(_state));
}

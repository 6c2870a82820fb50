namespace Outpost.Tests.Simulation;

/// <summary>What a command is.</summary>
internal enum CommandKind
{
    /// <summary>Counts one step.</summary>
    Count,

    /// <summary>Counts the first step of an entity that must not exist: its own repeat is against its rules.</summary>
    Create,

    /// <summary>Counts one step while there are few.</summary>
    CountToMax,

    /// <summary>Counts one step where the version is what the caller saw last.</summary>
    CountIfMatch,

    /// <summary>Decides that there is nothing to do.</summary>
    Nothing,
}

/// <summary>One command: what is asked, what was answered so far, and what the log has of it.</summary>
internal sealed class Asked
{
    /// <summary>Names it; its events carry it.</summary>
    public required string Step { get; init; }

    public required CommandKind Kind { get; init; }

    public required string EntityId { get; init; }

    public required int Events { get; init; }

    /// <summary>Null: a repeat would be another command.</summary>
    public Idempotency? Idempotency { get; init; }

    public bool HasKeyOf(Asked other) =>
        Idempotency is { } mine && other.Idempotency is { } theirs && (mine.Scope, mine.Key) == (theirs.Scope, theirs.Key);

    /// <summary>Characters of padding in each event.</summary>
    public int Padding { get; init; }

    public bool LikelyNew { get; init; }

    /// <summary>For <see cref="CommandKind.CountIfMatch"/>: the version when it was first sent.</summary>
    public long? ExpectedVersion { get; set; }

    public string Subject => $"tally/{EntityId}";

    /// <summary>The version it made; null: it is not in the log.</summary>
    public long? Version { get; set; }

    public bool IsCommitted => Version is not null;

    /// <summary>An attempt was left without an answer that says what came of it.</summary>
    public bool MayLand { get; set; }

    public bool IsDone { get; set; }

    public int Attempts { get; set; }

    public const int Max = 5;

    public Command<Tally> Command()
    {
        var command = Tallies.Count(EntityId, Step, events: Events, max: Kind switch { CommandKind.Create => 1, CommandKind.CountToMax => Max, _ => null });
        command = command with { Idempotency = Idempotency, LikelyNew = LikelyNew };
        if (Padding > 0) command = command with { Decide = Padded(command.Decide) };
        return Kind switch
        {
            CommandKind.Nothing => command with { Decide = tally => new Decision<Tally>.Accepted(tally ?? new Tally(0, []), []) },
            CommandKind.CountIfMatch => command with { IfMatch = new VersionCondition([ExpectedVersion ?? 0]) },
            _ => command,
        };
    }

    private Func<Tally?, Decision<Tally>> Padded(Func<Tally?, Decision<Tally>> decide) => tally =>
        decide(tally) is Decision<Tally>.Accepted accepted
            ? accepted with { Events = [.. accepted.Events.Select(_ => NewEvent.Json(new Counted(Step + new string(' ', Padding)), TallyJson.Default.Counted))] }
            : decide(tally);
}

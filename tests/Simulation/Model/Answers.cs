namespace Outpost.Tests.Simulation;

/// <summary>What a caller gets.</summary>
internal abstract record Answer
{
    internal sealed record Result(CommandResult<Tally> Value) : Answer;

    /// <summary>The store could not be reached, and nothing was written.</summary>
    internal sealed record NothingWritten(string Why) : Answer;

    /// <summary>No answer: anything may have happened, or may happen yet.</summary>
    internal sealed record None(string Why) : Answer;

    internal sealed record Failed(Exception Cause) : Answer;
}

/// <summary>What a caller may be answered, by what the log has.</summary>
internal sealed class Answers(Judge judge, LogModel log)
{
    /// <summary>What was true when a command was sent.</summary>
    internal readonly record struct Sent(bool IsCommitted, bool IsKeyUsed, long Version);

    public Sent Before(Asked asked)
    {
        asked.Attempts++;
        return new Sent(asked.IsCommitted, asked.Idempotency is { } key && log.IsKeyUsed(key), log.VersionOf(asked.Subject));
    }

    /// <summary>True: no need to ask again.</summary>
    public bool Answered(Asked asked, Sent before, Answer answer)
    {
        if (judge.IsTraced) judge.Note($"{asked.Step} answered {Text(answer)}");
        switch (answer)
        {
            case Answer.None or Answer.Result { Value: CommandResult<Tally>.Unknown }:
                asked.MayLand = true;
                return false;
            case Answer.NothingWritten or Answer.Result { Value: CommandResult<Tally>.Busy }:
                return false;
            case Answer.Failed failed:
                judge.Wrong($"{asked.Step} failed: {failed.Cause}");
                return true;
            case Answer.Result { Value: CommandResult<Tally>.Done done }:
                Done(asked, before, done);
                return true;
            case Answer.Result { Value: CommandResult<Tally>.Refused }:
                Refused(asked, before, log.VersionOf(asked.Subject) >= (asked.Kind == CommandKind.Create ? 1 : Asked.Max) && asked.Kind is CommandKind.Create or CommandKind.CountToMax);
                return true;
            case Answer.Result { Value: CommandResult<Tally>.Stale }:
                Refused(asked, before, asked.Kind == CommandKind.CountIfMatch && !(before.Version == asked.ExpectedVersion && before.Version != 0 && log.VersionOf(asked.Subject) == before.Version));
                return true;
            case Answer.Result { Value: CommandResult<Tally>.KeyReused }:
                if (before.IsCommitted || log.Commands.All(other => other == asked || !asked.HasKeyOf(other)))
                    judge.Wrong($"{asked.Step}: its key is its own, but it was told that it is used");
                return true;
            default:
                judge.Wrong($"{asked.Step} was answered {Text(answer)}");
                return true;
        }
    }

    /// <summary>Whoever was told every time that nothing was written has written nothing.</summary>
    public void CheckEnd()
    {
        foreach (var asked in log.Commands)
        {
            if (asked is { IsCommitted: true, MayLand: false, IsDone: false })
                judge.Wrong($"{asked.Step} is in the log, but all {asked.Attempts} attempts were answered that it is not");
        }
    }

    private void Done(Asked asked, Sent before, CommandResult<Tally>.Done done)
    {
        if (asked.Kind == CommandKind.Nothing)
        {
            if (done.Replayed || done.Version < before.Version || done.Version > log.VersionOf(asked.Subject))
                judge.Wrong($"{asked.Step} decided nothing at version {done.Version}");
            return;
        }

        asked.IsDone = true;
        if (asked.Version != done.Version) judge.Wrong($"{asked.Step} was answered version {done.Version}, and is {asked.Version?.ToString() ?? "not"} in the log");
        else if (done.State.Steps.Count != done.Version || done.State.Steps[^1] != asked.Step || done.State.Count != done.Version)
            judge.Wrong($"{asked.Step} was answered another state than the one it made");
        if (before.IsCommitted && !done.Replayed) judge.Wrong($"{asked.Step} was done before, and was answered as if it were new");
    }

    private void Refused(Asked asked, Sent before, bool isJustified)
    {
        // With a key, a repeat of what was done gets its answer.
        if (before.IsCommitted && asked.Idempotency is not null) judge.Wrong($"{asked.Step} was done before, and its repeat was refused");
        else if (!isJustified && !asked.IsCommitted) judge.Wrong($"{asked.Step} was refused for no reason");
    }

    private static string Text(Answer answer) => answer switch
    {
        Answer.Result { Value: CommandResult<Tally>.Done done } => $"done, version {done.Version}{(done.Replayed ? ", replayed" : "")}",
        Answer.Result result => result.Value.ToString(),
        _ => answer.ToString(),
    };
}

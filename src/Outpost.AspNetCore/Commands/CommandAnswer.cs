using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>A command's result as an HTTP answer.</summary>
public static class CommandAnswer
{
    /// <summary>Maps every result; <paramref name="done"/> makes the body of a success.</summary>
    public static IResult ToHttp<TState>(
        this CommandResult<TState> result, HttpResponse response, Func<CommandResult<TState>.Done, IResult> done)
        where TState : class
    {
        switch (result)
        {
            case CommandResult<TState>.Done success:
                if (success.Replayed) response.Headers["Idempotency-Replayed"] = "true";
                return done(success);
            case CommandResult<TState>.Refused { Refusal: var refusal }:
                return Problem.Refused(refusal);
            case CommandResult<TState>.Stale { CurrentVersion: { } version }:
                return Problem.PreconditionFailed($"If-Match names another version; the current one is \"{version}\".")
                    .With("currentVersion", version);
            case CommandResult<TState>.Stale:
                return Problem.PreconditionFailed("If-Match names a version of something that does not exist.");
            case CommandResult<TState>.KeyReused:
                return Problem.KeyReused("Idempotency-Key: this key came with another body before. Use a new key for a new request.");
            case CommandResult<TState>.TooLarge tooLarge:
                return Problem.TooLarge(tooLarge.Detail);
            case CommandResult<TState>.Busy busy:
                return Problem.Unavailable("busy", busy.Detail);
            case CommandResult<TState>.Unknown unknown:
                return Problem.Unavailable("outcome-unknown", unknown.Detail);
            default:
                throw new InvalidOperationException($"Unknown command result {result.GetType().Name}.");
        }
    }
}

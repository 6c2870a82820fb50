using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>A command's result as an HTTP answer.</summary>
public static class CommandAnswer
{
    /// <summary>Maps every result to its answer.</summary>
    /// <param name="result">What came of the command.</param>
    /// <param name="response">Told whether a success is a repeat.</param>
    /// <param name="done">Makes the body of a success.</param>
    public static IResult ToHttp<TState>(
        this CommandResult<TState> result, HttpResponse response, Func<CommandResult<TState>.Done, IResult> done)
        where TState : class => result.Match<IResult>(
            success =>
            {
                if (success.Replayed) response.Headers["Idempotency-Replayed"] = "true";
                return done(success);
            },
            Problem.Refused,
            stale => stale.CurrentVersion is { } version
                ? Problem.PreconditionFailed($"If-Match names another version; the current one is \"{version}\".").With("currentVersion", version)
                : Problem.PreconditionFailed("If-Match names a version of something that does not exist."),
            _ => Problem.KeyReused("Idempotency-Key: this key came with another body before. Use a new key for a new request."),
            tooLarge => Problem.TooLarge(tooLarge.Detail),
            busy => Problem.Unavailable("busy", busy.Detail),
            unknown => Problem.Unavailable("outcome-unknown", unknown.Detail));
}

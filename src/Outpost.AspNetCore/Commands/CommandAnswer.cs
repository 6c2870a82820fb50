using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>Turns a command's result into an HTTP answer.</summary>
public static class CommandAnswer
{
    /// <summary>Maps every result to its answer.</summary>
    /// <param name="result">The command's result.</param>
    /// <param name="response">Gets the header <c>Idempotency-Replayed</c> when a success is a repeat.</param>
    /// <param name="done">Makes the answer to a success.</param>
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

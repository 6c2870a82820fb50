using Microsoft.AspNetCore.Http;
using Outpost.Forwarding;

namespace Outpost.AspNetCore;

/// <summary><c>GET /api/health</c> says whether this app can record commands, and whether they are forwarded.</summary>
internal sealed class HealthApi(IEventStore store, ForwarderOperations operations, SettingsProblems settings, StoreProblems problems, Sources sources)
{
    // Anybody may ask, so each partition is looked at only once in this time. That is as often as a timer would.
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StoreAnswersWithin = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private Task<IReadOnlyList<StoreProblem>>? _check;
    private long _checkedAt;

    /// <summary>
    /// Answers <c>{"status","problems":[{"code","detail"}]}</c>: 503 with <c>unhealthy</c> where this process cannot do
    /// its work until somebody acts, or 200 with <c>ok</c> or <c>degraded</c>.
    /// </summary>
    public async Task<IResult> HealthAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        _ = request;
        var all = await ProblemsAsync(cancellationToken);
        var isFatal = all.Any(problem => problem.IsFatal);
        return new JsonAnswer<HealthAnswer>(
            new HealthAnswer(
                isFatal ? "unhealthy" : all.Count > 0 ? "degraded" : "ok",
                [.. all.Select(problem => new HealthProblem(problem.Code, problem.Detail))]),
            HttpJson.Default.HealthAnswer,
            isFatal ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK);
    }

    /// <summary>All problems, fatal ones first; empty: all is well.</summary>
    internal async Task<IReadOnlyList<StoreProblem>> ProblemsAsync(CancellationToken cancellationToken)
    {
        var found = await Check().WaitAsync(cancellationToken);
        return [.. settings.Problems.Select(text => new StoreProblem("setting-missing", text, IsFatal: true))
            .Concat(found).Concat(problems.Now).Distinct().OrderByDescending(problem => problem.IsFatal)];
    }

    private Task<IReadOnlyList<StoreProblem>> Check()
    {
        lock (_lock)
        {
            if (_check is { IsCompleted: true } && sources.Time.GetElapsedTime(_checkedAt) >= Remembered) _check = null;
            if (_check is null)
            {
                _checkedAt = sources.Time.GetTimestamp();
                _check = AskAsync();
            }

            return _check;
        }
    }

    private async Task<IReadOnlyList<StoreProblem>> AskAsync()
    {
        using var deadline = new CancellationTokenSource(StoreAnswersWithin, sources.Time);
        try
        {
            await store.LayoutAsync(deadline.Token);
            return Troubles.Of(await operations.StatusAsync(deadline.Token));
        }
        catch (LayoutMismatchException)
        {
            return [new StoreProblem("layout-mismatch", "The settings do not fit the stored log, or the table now holds another log.", IsFatal: true)];
        }
        catch (DamagedRowException e)
        {
            problems.Damaged(e);
            return [];
        }
        catch (StoreUnavailableException e)
        {
            return [Troubles.Of(e)];
        }
#pragma warning disable CA1031 // Any fault is part of the answer. Its details are for the log, not for anonymous callers.
        catch (Exception)
#pragma warning restore CA1031
        {
            return [Troubles.Of(new StoreUnavailableException("Table Storage does not answer.") { Code = "store-away" })];
        }
    }
}

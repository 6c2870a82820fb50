using Microsoft.AspNetCore.Http;

namespace Outpost.Http;

/// <summary>Settings whose absence lets the app start but not do all its work; found once, at start.</summary>
/// <param name="Problems">A sentence each, with the setting's name.</param>
public sealed record SettingsProblems(IReadOnlyList<string> Problems);

/// <summary><c>GET /api/health</c>: whether this app can record commands and forward them.</summary>
public sealed class HealthApi(IEventStore store, SettingsProblems settings, Sources sources)
{
    // Anonymous: however often it is asked, the store is asked once in this time.
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StoreAnswersWithin = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private Task<string?>? _check;
    private long _checkedAt;

    /// <summary>200 when all is well, else 503; either way <c>{"status","problems"}</c>.</summary>
    public async Task<IResult> HealthAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        _ = request;
        var problems = settings.Problems;
        if (await CheckStore().WaitAsync(cancellationToken) is { } problem) problems = [.. problems, problem];
        return new JsonAnswer<HealthAnswer>(
            new HealthAnswer(problems.Count == 0 ? "ok" : "failing", problems),
            HttpJson.Default.HealthAnswer,
            problems.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private Task<string?> CheckStore()
    {
        lock (_lock)
        {
            if (_check is { IsCompleted: true } && sources.Time.GetElapsedTime(_checkedAt) >= Remembered) _check = null;
            if (_check is null)
            {
                _checkedAt = sources.Time.GetTimestamp();
                _check = AskStoreAsync();
            }

            return _check;
        }
    }

    private async Task<string?> AskStoreAsync()
    {
        using var deadline = new CancellationTokenSource(StoreAnswersWithin, sources.Time);
        try
        {
            await store.LayoutAsync(deadline.Token);
            await store.ReadPartitionAsync(0, deadline.Token);
            return null;
        }
        catch (LayoutMismatchException)
        {
            return "The settings do not fit the stored log.";
        }
#pragma warning disable CA1031 // Whatever is wrong, it is the answer; details are for the log, not for anonymous callers.
        catch (Exception)
#pragma warning restore CA1031
        {
            return "Table Storage does not answer.";
        }
    }
}

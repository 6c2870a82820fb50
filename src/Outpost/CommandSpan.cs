using System.Diagnostics;

namespace Outpost;

/// <summary>One command in telemetry: a span, and a count by result.</summary>
internal sealed class CommandSpan : IDisposable
{
    private readonly Activity? _activity;
    private readonly OutpostMetrics? _metrics;
    private string _result = "failed";

    private CommandSpan(Activity? activity, OutpostMetrics? metrics)
    {
        _activity = activity;
        _metrics = metrics;
    }

    /// <summary>Starts the span under the current one, or else under the one that the command's trace parent names.</summary>
    public static CommandSpan Start<TState>(Command<TState> command, OutpostMetrics? metrics)
        where TState : class
    {
        if (!OutpostMetrics.Activities.HasListeners()) return new CommandSpan(null, metrics);
        var caller = default(ActivityContext);
        if (Activity.Current is null) ActivityContext.TryParse(command.TraceParent, null, isRemote: true, out caller);
        var activity = OutpostMetrics.Activities.StartActivity($"command {command.Entity.Name}", ActivityKind.Internal, caller);
        activity?.SetTag("outpost.entity", command.Entity.Name);
        activity?.SetTag("outpost.subject", command.Entity.Subject(command.EntityId));
        return new CommandSpan(activity, metrics);
    }

    /// <summary>
    /// The <c>traceparent</c> to keep with the events: the caller's own as it is, or else the current span's. So a trace leads from
    /// the command to its deliveries by itself.
    /// </summary>
    public static string? TraceParentOf(string? given) =>
        given ?? (Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current.Id : null);

    /// <summary>Records the result of the command.</summary>
    public CommandResult<TState> Answered<TState>(CommandResult<TState> result)
        where TState : class
    {
        _result = result.Match(
            success => success.Replayed ? "replayed" : "done", _ => "refused", _ => "stale", _ => "key_reused", _ => "too_large", _ => "busy", _ => "unknown");
        if (result is CommandResult<TState>.Done done) _activity?.SetTag("outpost.version", done.Version);
        if (result is CommandResult<TState>.Unknown unknown) _activity?.SetStatus(ActivityStatusCode.Error, unknown.Detail);
        return result;
    }

    /// <summary>Records that the caller gets an exception instead of a result.</summary>
    public void Failed(Exception exception)
    {
        if (exception is OperationCanceledException) _result = "cancelled";
        else _activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
    }

    public void Dispose()
    {
        _metrics?.Command(_result);
        _activity?.SetTag("outpost.result", _result);
        _activity?.Dispose();
    }
}

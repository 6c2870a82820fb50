using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Outpost.Forwarding;

/// <summary>What all drains of a process share.</summary>
internal sealed record ForwardingContext(
    IEventStore Events,
    IForwardingStore Store,
    PartitionWatch Watch,
    ForwardingOptions Options,
    Sources Sources,
    OutpostMetrics Metrics,
    ForwardingLog Log)
{
    // Links are for people who follow a trace, and nobody follows more of them than this.
    private const int LinksMax = 100;

    /// <summary>Starts a span for one delivery, linked to the requests that caused its entries.</summary>
    public static Activity? StartForward(string forwarder, IReadOnlyList<EventEntry> entries)
    {
        if (!OutpostMetrics.Activities.HasListeners()) return null;
        var links = entries.Take(LinksMax)
            .Select(entry => ActivityContext.TryParse(entry.TraceParent, null, isRemote: true, out var origin) ? new ActivityLink(origin) : (ActivityLink?)null)
            .OfType<ActivityLink>();
        var activity = OutpostMetrics.Activities.StartActivity($"forward {forwarder}", ActivityKind.Producer, default(ActivityContext), links: links);
        activity?.SetTag("outpost.forwarder", forwarder);
        activity?.SetTag("outpost.partition", entries[0].Partition);
        activity?.SetTag("outpost.offset", entries[0].Offset);
        activity?.SetTag("messaging.batch.message_count", entries.Count);
        return activity;
    }
}

/// <summary>A number with its noun, for a line that people read: "1 entry", "2 entries".</summary>
internal readonly record struct Amount(long Number, string One, string Many)
{
    public override string ToString() => $"{Number} {(Number == 1 ? One : Many)}";
}

/// <summary>The log lines of forwarding. Each change of state is logged once.</summary>
internal sealed partial class ForwardingLog(ILogger logger, TimeProvider time)
{
    // A fault that stops one partition stops the others within seconds, so the first line speaks for all of them.
    private static readonly TimeSpan SpeaksForOthers = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = logger;
    private readonly ConcurrentDictionary<(string Forwarder, string Kind), long> _said = new();

    [LoggerMessage(1, LogLevel.Information,
        "Forwarder {Forwarder}: {Delivered} in {Batches}, {FailedPartitions} failing, {ElapsedMs:F0} ms")]
    public partial void Run(string forwarder, Amount delivered, Amount batches, Amount failedPartitions, double elapsedMs);

    [LoggerMessage(2, LogLevel.Error, "Forwarder {Forwarder}: partition {Partition} is failing: {Reason}")]
    public partial void Failing(string forwarder, int partition, string reason, Exception? exception);

    [LoggerMessage(14, LogLevel.Warning, "Forwarder {Forwarder}: partition {Partition} waits for its target: {Reason}")]
    public partial void Waits(string forwarder, int partition, string reason);

    [LoggerMessage(15, LogLevel.Debug, "Forwarder {Forwarder}: partition {Partition} has the same problem: {Reason}")]
    public partial void AsWell(string forwarder, int partition, string reason);

    /// <summary>Logs one line for an outage, whatever the number of partitions, and a stack trace only if the code may be at fault.</summary>
    public void Fails(string forwarder, int partition, Step.Failed failed)
    {
        var now = time.GetTimestamp();
        var isFirst = false;
        _said.AddOrUpdate(
            (forwarder, failed.Kind),
            _ =>
            {
                isFirst = true;
                return now;
            },
            (_, said) =>
            {
                isFirst = time.GetElapsedTime(said, now) > SpeaksForOthers;
                return isFirst ? now : said;
            });
        if (!isFirst) AsWell(forwarder, partition, failed.Reason);
        else if (failed.IsBusy) Waits(forwarder, partition, failed.Reason);
        else Failing(forwarder, partition, failed.Reason, failed.IsTransient ? null : failed.Cause);
    }

    [LoggerMessage(3, LogLevel.Information, "Forwarder {Forwarder}: partition {Partition} works again")]
    private partial void WorksAgain(string forwarder, int partition);

    /// <summary>Logs that a partition works again. The next failure counts as a new outage.</summary>
    public void Recovered(string forwarder, int partition)
    {
        foreach (var said in _said.Keys.Where(said => said.Forwarder == forwarder)) _said.TryRemove(said, out _);
        WorksAgain(forwarder, partition);
    }

    [LoggerMessage(4, LogLevel.Information,
        "Forwarder {Forwarder}: partition {Partition} is forwarded by another process, from offset {Offset} or later on")]
    public partial void LostLease(string forwarder, int partition, long offset);

    [LoggerMessage(5, LogLevel.Error, "Forwarder {Forwarder}: parked {EventId} of {Subject}, and those of this subject after it: {Reason}")]
    public partial void Parked(string forwarder, string eventId, string subject, string reason);

    [LoggerMessage(6, LogLevel.Information, "Forwarder {Forwarder}: partition {Partition}, parked entry {Offset} is delivered")]
    public partial void Unparked(string forwarder, int partition, long offset);

    [LoggerMessage(7, LogLevel.Warning, "Forwarder {Forwarder}: partition {Partition}, parked entry {Offset} is refused again: {Reason}")]
    public partial void RefusedAgain(string forwarder, int partition, long offset, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Forwarder {Forwarder}: partition {Partition}, parked entry {Offset} of {Subject} is discarded: {Reason}")]
    public partial void Discarded(string forwarder, int partition, long offset, string subject, string reason);

    [LoggerMessage(9, LogLevel.Information, "Forwarder {Forwarder}: partition {Partition}, entries {From} to {To} are replayed as {Replay}")]
    public partial void Replayed(string forwarder, int partition, long from, long to, string replay);

    [LoggerMessage(16, LogLevel.Warning, "Forwarder {Forwarder}: partition {Partition} starts at offset {Offset}, the oldest in the log, instead of {Before}")]
    public partial void BeginsLater(string forwarder, int partition, long offset, long before);

    [LoggerMessage(17, LogLevel.Error, "Forwarder {Forwarder}: partition {Partition}, request {Request} cannot go on: {Missing} no longer in the log; it has to be taken back")]
    public partial void RequestBlocked(string forwarder, int partition, string request, string missing);

    [LoggerMessage(19, LogLevel.Warning, "Forwarder {Forwarder}: partition {Partition}, entries {From} to {To} are lost to it: they were no longer in the log, and {By} let it go on with {Next}")]
    public partial void Skipped(string forwarder, int partition, long from, long to, string by, long next);

    [LoggerMessage(26, LogLevel.Warning, "Forwarder {Forwarder}: {What} ({Detail}) by {By}: {Outcome} {OutcomeDetail}; why: {Why}")]
    public partial void Acted(string forwarder, string what, string detail, string by, string outcome, string outcomeDetail, string why);

    [LoggerMessage(27, LogLevel.Warning, "Forwarder {Forwarder}: the outcome of {What} is not in the history, because the store does not answer: {Reason}")]
    public partial void OutcomeNotKept(string forwarder, string what, string reason);

    [LoggerMessage(12, LogLevel.Warning, "Forwarder {Forwarder}: {EventId} is refused in a replay and passed over: {Reason}")]
    public partial void ReplayRefused(string forwarder, string eventId, string reason);

    [LoggerMessage(13, LogLevel.Error,
        "Forwarder {Forwarder}: partition {Partition}: a delivery that began with {EventId} did not end within {Seconds} s, although it was cancelled; this process delivers nothing more there until it ends")]
    public partial void DoesNotReturn(string forwarder, int partition, double seconds, string eventId);
}

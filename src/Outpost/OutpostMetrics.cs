using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Outpost.Forwarding;

namespace Outpost;

/// <summary>
/// The instruments of the meter <c>Outpost</c>, and the spans of the activity source of the same name. One per process. Dashboards
/// and alerts rely on the names and dimensions, which docs/metrics.md lists.
/// </summary>
internal sealed class OutpostMetrics : IDisposable
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "Outpost";

    // The timer moves between processes, so what the last process saw is soon out of date. No timer is slower than this.
    private static readonly TimeSpan StandingMaxAge = TimeSpan.FromMinutes(10);

    // In seconds. The default buckets of collectors are for milliseconds, so all these values would fall into the first one.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600],
    };

    private readonly TimeProvider? _time;
    private readonly Meter _meter;
    private readonly ConcurrentDictionary<(string Forwarder, int Partition), Standing> _standings = new();
    private readonly ConcurrentDictionary<int, (bool IsHeld, long At)> _retentionHeld = new();
    private readonly Counter<long> _commands;
    private readonly Counter<long> _commits;
    private readonly Counter<long> _lostRaces;
    private readonly Histogram<double> _commitDuration;
    private readonly Counter<long> _forwarded;
    private readonly Counter<long> _late;
    private readonly Histogram<double> _latency;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _leaseChanges;
    private readonly Counter<long> _runs;
    private readonly Counter<long> _deleted;
    private readonly Counter<long> _storageRequests;
    private readonly Counter<long> _olderReads;
    private double _clockSkew;

    /// <summary>Creates the instruments.</summary>
    /// <param name="time">
    /// Ends the gauges of forwarders ten minutes after this process last looked, since another process may have taken over. If null,
    /// they never end.
    /// </param>
    /// <param name="meters">Creates the meter; null for a meter of its own.</param>
    public OutpostMetrics(TimeProvider? time = null, IMeterFactory? meters = null)
    {
        _time = time;
        _meter = meters?.Create(Name) ?? new Meter(Name);
        _commands = _meter.CreateCounter<long>("outpost.commands", "{command}", "Commands answered, by result");
        _commits = _meter.CreateCounter<long>("outpost.commits", "{transaction}", "Transactions committed");
        _lostRaces = _meter.CreateCounter<long>("outpost.commits.lost", "{transaction}", "Transactions refused because another process's commit came first");
        _commitDuration = _meter.CreateHistogram("outpost.commit.duration", "s", "From sending a transaction to knowing that it is committed", tags: null, Seconds);
        _forwarded = _meter.CreateCounter<long>("outpost.forwarded", "{entry}", "Entries accepted by a target");
        _late = _meter.CreateCounter<long>("outpost.forwarded.late", "{entry}", "Entries accepted later than the forwarder's Within");
        _latency = _meter.CreateHistogram("outpost.forward.latency", "s", "From an entry's commit to its acceptance by the target", tags: null, Seconds);
        _failures = _meter.CreateCounter<long>("outpost.forward.failures", "{delivery}", "Deliveries that failed and are tried again, by kind");
        _leaseChanges = _meter.CreateCounter<long>("outpost.lease.changes", "{lease}", "Leases taken over from another process");
        _runs = _meter.CreateCounter<long>("outpost.runs", "{run}", "Runs of the timer: the heartbeat");
        _deleted = _meter.CreateCounter<long>("outpost.retention.deleted", "{row}", "Rows deleted by retention, by kind");
        _storageRequests = _meter.CreateCounter<long>("outpost.storage.requests", "{request}", "Requests to Table Storage, by operation and status");
        _olderReads = _meter.CreateCounter<long>("outpost.entity.older_reads", "{request}", "Reads of an entity in a partition where an earlier partition count put it");
        _meter.CreateObservableGauge("outpost.backlog", () => Observe(s => s.Backlog), "{entry}", "Entries not yet accepted");
        _meter.CreateObservableGauge("outpost.oldest_age", () => Observe(s => s.OldestAgeSeconds), "s", "Age of the oldest entry not yet accepted");
        _meter.CreateObservableGauge("outpost.parked", () => Observe(s => (long)s.Parked), "{entry}", "Entries parked");
        _meter.CreateObservableGauge("outpost.late", () => Observe(s => s.Late), "{entry}", "Entries not yet accepted and past Within");
        _meter.CreateObservableGauge("outpost.failing", () => Observe(s => s.IsFailing || s.Blocked > 0 ? 1L : 0L), "{partition}", "1 while the last attempt failed, or a retry or replay is blocked");
        _meter.CreateObservableGauge("outpost.blocked", () => Observe(s => (long)s.Blocked), "{request}", "Retries and replays that cannot go on");
        _meter.CreateObservableGauge("outpost.orphaned", () => Observe(s => s.IsOrphaned ? 1L : 0L), "{partition}", "1 while entries wait and no process runs the forwarder");
        _meter.CreateObservableGauge("outpost.retention.held", ObserveRetention, "{partition}", "1 while a forwarder keeps retention from deleting");
        _meter.CreateObservableGauge("outpost.clock_skew", () => Volatile.Read(ref _clockSkew), "s", "Local clock less the store's");
    }

    /// <summary>Spans of commands and deliveries.</summary>
    public static ActivitySource Activities { get; } = new(Name);

    /// <summary>Counts an answered command.</summary>
    /// <param name="result">
    /// <c>done</c>, <c>replayed</c>, <c>refused</c>, <c>stale</c>, <c>key_reused</c>, <c>too_large</c>, <c>busy</c> or
    /// <c>unknown</c>. Without an answer: <c>cancelled</c> (the caller left) or <c>failed</c> (the caller got an exception).
    /// </param>
    public void Command(string result) => _commands.Add(1, new KeyValuePair<string, object?>("result", result));

    /// <summary>Counts a committed transaction.</summary>
    public void Committed(int partition, TimeSpan duration)
    {
        _commits.Add(1, new KeyValuePair<string, object?>("partition", partition));
        _commitDuration.Record(duration.TotalSeconds);
    }

    /// <summary>Another process's commit came before a transaction. Its commands go again in the next one.</summary>
    public void RaceLost(int partition) => _lostRaces.Add(1, new KeyValuePair<string, object?>("partition", partition));

    /// <summary>Counts a request to the store. Status 0 means that there was no answer.</summary>
    public void StorageRequest(string operation, int status) => _storageRequests.Add(
        1, new KeyValuePair<string, object?>("operation", operation), new KeyValuePair<string, object?>("status", status));

    /// <summary>Counts a read of an entity where an earlier partition count put it: this is the cost of growth.</summary>
    public void OlderRead() => _olderReads.Add(1);

    /// <summary>Records how far the local clock is ahead of the store's.</summary>
    public void ClockSkew(TimeSpan ahead) => Volatile.Write(ref _clockSkew, ahead.TotalSeconds);

    /// <summary>Counts a run of the timer.</summary>
    public void Run() => _runs.Add(1);

    /// <summary>Counts rows that retention has deleted.</summary>
    public void Deleted(string kind, int rows) => _deleted.Add(rows, new KeyValuePair<string, object?>("kind", kind));

    /// <summary>Records whether a forwarder keeps retention from deleting entries that are old enough.</summary>
    public void RetentionHeld(int partition, bool isHeld) => _retentionHeld[partition] = (isHeld, _time?.GetTimestamp() ?? 0);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Forwarded(Forwarder forwarder, int partition, IReadOnlyList<EventEntry> entries, int count, DateTimeOffset now, bool isReplay)
    {
        var name = new KeyValuePair<string, object?>("forwarder", forwarder.Name);
        _forwarded.Add(count, name, new KeyValuePair<string, object?>("partition", partition));
        if (isReplay) return;
        var late = 0;
        for (var i = 0; i < count; i++)
        {
            var age = now - entries[i].Timestamp;
            if (age < TimeSpan.Zero) age = TimeSpan.Zero;
            if (age > forwarder.Within) late++;
            if (_latency.Enabled) _latency.Record(age.TotalSeconds, name);
        }

        if (late > 0) _late.Add(late, name);
    }

    internal void Failed(string forwarder, string kind) => _failures.Add(
        1, new KeyValuePair<string, object?>("forwarder", forwarder), new KeyValuePair<string, object?>("kind", kind));

    internal void LeaseTakenOver(string forwarder) => _leaseChanges.Add(1, new KeyValuePair<string, object?>("forwarder", forwarder));

    internal void Stands(ForwarderStanding standing, bool isOrphaned = false) => _standings[(standing.Forwarder, standing.Partition)] = new Standing(
        standing.Backlog, standing.OldestUnforwardedAge?.TotalSeconds ?? 0, standing.Parked, standing.Late,
        standing.LastError is not null, standing.Requests.Count(request => request.State == "blocked"), isOrphaned,
        _time?.GetTimestamp() ?? 0);

    /// <summary>Ends the gauges of all other forwarders in a partition.</summary>
    internal void KeepOnly(int partition, Func<string, bool> isKept)
    {
        foreach (var key in _standings.Keys.Where(key => key.Partition == partition && !isKept(key.Forwarder))) _standings.TryRemove(key, out _);
    }

    private IEnumerable<Measurement<T>> Observe<T>(Func<Standing, T> value)
        where T : struct =>
        _standings.Where(standing => IsRecent(standing.Value.At)).Select(standing => new Measurement<T>(
            value(standing.Value),
            new KeyValuePair<string, object?>("forwarder", standing.Key.Forwarder),
            new KeyValuePair<string, object?>("partition", standing.Key.Partition)));

    private IEnumerable<Measurement<long>> ObserveRetention() => _retentionHeld.Where(held => IsRecent(held.Value.At)).Select(held => new Measurement<long>(
        held.Value.IsHeld ? 1 : 0, new KeyValuePair<string, object?>("partition", held.Key)));

    private bool IsRecent(long at) => !(_time?.GetElapsedTime(at) > StandingMaxAge);

    private sealed record Standing(long Backlog, double OldestAgeSeconds, int Parked, long Late, bool IsFailing, int Blocked, bool IsOrphaned, long At);
}

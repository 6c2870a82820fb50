using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>Short forms for tests about what is parked in partition 0 for the forwarder <c>servicebus</c>.</summary>
internal static class ParkedLog
{
    public const string Name = "servicebus";

    private const string Dies = "the process dies";

    // Against code that spins: real time, far more than any of these tests takes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A log with one entry for each id, in this order.</summary>
    public static async Task<SimulatedLog> WithAsync(params string[] ids)
    {
        var log = new SimulatedLog();
        await log.AddAsync(ids);
        return log;
    }

    public static async Task AddAsync(this SimulatedLog log, params string[] ids)
    {
        foreach (var id in ids) await log.DoAsync(Tallies.Count(id, id));
    }

    public static async Task AddManyAsync(this SimulatedLog log, string id, int count)
    {
        for (var left = count; left > 0; left -= Limits.EventsPerCommandMax)
            await log.DoAsync(Tallies.Count(id, id, events: Math.Min(left, Limits.EventsPerCommandMax)));
    }

    public static ForwardingEngine To(this SimulatedLog log, IForwardTarget target, string owner = "me") => log.Engine([new Forwarder(Name, target)], owner);

    /// <summary>One run of a process that then ends.</summary>
    public static async Task<ForwardRun> ForwardAsync(this SimulatedLog log, IForwardTarget target, string owner = "me")
    {
        await using var engine = log.To(target, owner);
        return await engine.RunAsync(CancellationToken.None).WaitAsync(Patience);
    }

    /// <summary>Operators of a process that has this forwarder and whose forwarding does not run.</summary>
    public static ForwarderOperations Operators(this SimulatedLog log, ForwardingEngine? engine = null) => new(
        log.Store, log.Checkpoints, engine ?? log.Engine([]), log.Sources);

    /// <summary>Ticks of a process, with retention that has nothing to do.</summary>
    public static Ticks Ticks(this SimulatedLog log, ForwardingEngine engine, TimeProvider? time = null, Microsoft.Extensions.Logging.ILogger<Ticks>? logger = null) => new(
        engine,
        new RetentionRunner(
            log.Store, new TableRetentionStore(log.Table, log.Sources), log.Checkpoints, log.Watch, engine, new RetentionOptions(null, TimeSpan.FromDays(2)), log.Sources, log.Metrics,
            NullLogger<RetentionRunner>.Instance),
        log.Store.Heads,
        time ?? log.Time,
        logger ?? NullLogger<Ticks>.Instance);

    public static async Task<Checkpoint> CheckpointAsync(this SimulatedLog log) =>
        (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints[Name];

    public static Task<IReadOnlyList<ParkedEntry>> ParkedAsync(this SimulatedLog log) =>
        log.Checkpoints.ReadParkedAsync(0, Name, 0, Limits.PageEntriesMax, CancellationToken.None);

    /// <summary>What is parked, as "offset: reason".</summary>
    public static async Task<IEnumerable<string>> ParkedTextAsync(this SimulatedLog log) =>
        (await log.ParkedAsync()).Select(entry => $"{entry.Offset}: {entry.Reason}");

    public static IEnumerable<int> Offsets(this RecordingTarget target) => target.Delivered.Select(entry => (int)entry.Offset);

    public static Func<EventEntry, bool> Only(params long[] offsets) => entry => offsets.Contains(entry.Offset);

    public static TableFault Fault(string kind) => kind switch
    {
        "unreachable" or Dies => new TableFault.BeforeEffect(TableError.Unreachable),
        "answer lost" => new TableFault.AfterEffect(TableError.ConnectionReset),
        "500" => new TableFault.AfterEffect(TableError.InternalError),
        _ => new TableFault.SentTwice(),
    };

    /// <summary>
    /// Runs a story again and again, each time with another request going wrong (or, when the process dies, all from that
    /// one on), until it has fewer requests.
    /// </summary>
    public static async Task AtEachRequestAsync(string kind, Func<Action<SimulatedLog>, Task> story)
    {
        for (var at = 0; at < 200; at++)
        {
            var fired = false;
            await story(log =>
            {
                var number = log.Table.Requests.Count + at;
                log.Table.Faults = request =>
                {
                    if (request.Number < number || (request.Number > number && kind != Dies)) return null;
                    fired = true;
                    return Fault(kind);
                };
            });
            if (fired) continue;
            Assert.InRange(at, 5, 199);
            return;
        }

        Assert.Fail("still faults");
    }
}

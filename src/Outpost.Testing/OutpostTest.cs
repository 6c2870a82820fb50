using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;

namespace Outpost.Testing;

/// <summary>
/// An app in memory, for tests: the real <see cref="EventLog"/> and the real forwarding, on a log in memory, with a clock that the
/// test moves. It forwards nothing before the test calls <see cref="ForwardAsync"/>, and it does not wait.
/// </summary>
public sealed class OutpostTest : IAsyncDisposable
{
    // A handler that runs commands whose events it handles itself would never end.
    private const int EntriesMax = 10_000;
    private const int RunsMax = 1_000;

    private readonly ServiceProvider _services;
    private readonly Sources _sources;
    private readonly IReadOnlyList<Forwarder> _forwarders;
    private readonly int _partitions;
    private readonly IEventStore _events;
    private readonly IForwardingStore _forwarding;
    private int _ids;

    /// <summary>Creates an app with a new, empty log.</summary>
    /// <param name="configure">Adds handlers, targets and events as the app does, and the services that they need.</param>
    /// <param name="partitions">Number of partitions of the log, 1 to <see cref="Limits.PartitionsMax"/>. Default 1.</param>
    /// <param name="start">What the clock shows at first; null for 2026-01-01 in UTC.</param>
    public OutpostTest(Action<OutpostBuilder>? configure = null, int partitions = 1, DateTimeOffset? start = null)
    {
        _partitions = partitions;
        Time = new TestTime(start);
        _sources = new Sources(Time, () => new Guid(Interlocked.Increment(ref _ids), 0, 0, new byte[8]), () => 0);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton(_sources);
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        var outpost = services.AddOutpostLog();
        services.UseInMemoryLog(partitions);
        configure?.Invoke(outpost);
        _services = services.BuildServiceProvider(validateScopes: true);
        _events = _services.GetRequiredService<IEventStore>();
        _forwarding = _services.GetRequiredService<IForwardingStore>();
        Log = _services.GetRequiredService<EventLog>();
        _forwarders = [.. _services.GetRequiredService<IReadOnlyList<Forwarder>>().Select(forwarder => forwarder with { Target = new WatchedTarget(forwarder.Target) })];
    }

    /// <summary>The app's clock. Handlers get it as a <see cref="TimeProvider"/>.</summary>
    public TestTime Time { get; }

    /// <summary>Runs commands and reads entities.</summary>
    public EventLog Log { get; }

    /// <summary>The app's services, including those that <c>configure</c> registered.</summary>
    public IServiceProvider Services => _services;

    /// <summary>The longest delivery in real time: 60 seconds, or no limit under a debugger.</summary>
    internal TimeSpan DeliveryMax { get; init; } = Debugger.IsAttached ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(60);

    private IEnumerable<WatchedTarget> Targets => _forwarders.Select(forwarder => (WatchedTarget)forwarder.Target);

    /// <summary>
    /// Forwards until nothing is left, including what handlers commit meanwhile. Retries a handler or target that fails, as an app
    /// does, but without waiting.
    /// </summary>
    /// <exception cref="OutpostTestException">
    /// A handler or target keeps failing, or has refused an entry for good. The entry waits, or is parked (<see cref="ParkedAsync"/>).
    /// Everything else has been forwarded, and a later call goes on from there.
    /// </exception>
    public async Task ForwardAsync(CancellationToken cancellationToken = default)
    {
        var before = await AllParkedAsync();
        foreach (var target in Targets) target.Begin(DeliveryMax);
        for (var run = 1; await RunAsync(cancellationToken) > 0; run++)
        {
            if (run == RunsMax || Targets.Any(target => target.Delivered > EntriesMax))
                throw new OutpostTestException("Forwarding does not end: does a handler run commands whose events it handles itself?");
        }

        var parked = (await AllParkedAsync()).Except(before).ToList();
        if (parked.Count > 0)
            throw new OutpostTestException(string.Join('\n', parked.Select(one =>
                $"{one.Forwarder} parked entry {one.Entry.Offset} of partition {one.Entry.Partition}, {one.Entry.Type} of {one.Entry.Subject}: {one.Entry.Reason}")));
    }

    /// <summary>All entries of the log, in the order of partitions and offsets.</summary>
    public async Task<IReadOnlyList<EventEntry>> EntriesAsync()
    {
        var entries = new List<EventEntry>();
        for (var partition = 0; partition < _partitions; partition++)
        {
            for (var offset = 0L; await _events.ReadEventsAsync(partition, offset, Limits.PageEntriesMax, CancellationToken.None) is { Count: > 0 } page; offset += page.Count)
                entries.AddRange(page);
        }

        return entries;
    }

    /// <summary>
    /// The parked entries of a handler or target, in order: those that it has refused for good, and those that wait behind one of
    /// the same subject.
    /// </summary>
    /// <param name="name">Name of the handler or target.</param>
    public async Task<IReadOnlyList<ParkedEntry>> ParkedAsync(string name) =>
        [.. (await AllParkedAsync()).Where(one => one.Forwarder == name).Select(one => one.Entry)];

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _services.DisposeAsync();

    // Each run has a new engine, as after a restart: it remembers no failure, and begins at once.
    private async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        await using var engine = new ForwardingEngine(
            _events, _forwarding, new PartitionWatch(_events, _sources), _forwarders,
            new ForwardingOptions { Owner = "test", Linger = TimeSpan.Zero, RunMax = TimeSpan.FromHours(1) }, _sources,
            _services.GetRequiredService<OutpostMetrics>(), NullLogger<ForwardingEngine>.Instance);
        var done = await engine.RunAsync(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (done.FailedPartitions > 0) throw await FailingAsync();
        return done.Delivered;
    }

    private async Task<OutpostTestException> FailingAsync()
    {
        var reasons = new List<string>();
        for (var partition = 0; partition < _partitions; partition++)
        {
            var state = await _events.ReadPartitionAsync(partition, CancellationToken.None);
            reasons.AddRange(state.Checkpoints.Values.Where(checkpoint => checkpoint.LastError is not null).Select(checkpoint =>
                $"{checkpoint.Forwarder} fails at entry {checkpoint.NextOffset} of partition {partition}: {checkpoint.LastError}"));
        }

        return new OutpostTestException(string.Join('\n', reasons), Targets.Select(target => target.Failure).FirstOrDefault(cause => cause is not null));
    }

    private async Task<List<(string Forwarder, ParkedEntry Entry)>> AllParkedAsync()
    {
        var all = new List<(string, ParkedEntry)>();
        foreach (var name in _forwarders.Select(forwarder => forwarder.Name))
        {
            for (var partition = 0; partition < _partitions; partition++)
            {
                // A forwarder holds its partition before it parks more than a page.
                var parked = await _forwarding.ReadParkedAsync(partition, name, 0, Limits.PageEntriesMax, CancellationToken.None);
                all.AddRange(parked.Select(entry => (name, entry)));
            }
        }

        return all;
    }

    /// <summary>Counts delivered entries, and remembers the last failure.</summary>
    private sealed class WatchedTarget(IForwardTarget inner) : IForwardTarget
    {
        private int _delivered;
        private TimeSpan _deliveryMax;

        public int Delivered => Volatile.Read(ref _delivered);

        public Exception? Failure { get; private set; }

        public void Begin(TimeSpan deliveryMax) => (_delivered, _deliveryMax, Failure) = (0, deliveryMax, null);

        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            // A single run may be endless too.
            if (Delivered > EntriesMax) throw new OutpostTestException($"{EntriesMax} entries were delivered: does a handler run commands whose events it handles itself?");
            try
            {
                // A call that waits for something that never comes must not hang a whole run of tests.
                var delivery = await inner.DeliverAsync(entries, replay, cancellationToken).WaitAsync(_deliveryMax, cancellationToken);
                if (delivery is Delivery.Accepted accepted) Interlocked.Add(ref _delivered, accepted.Count);
                if (delivery is Delivery.Failed failed) Failure = failed.Cause;
                return delivery;
            }
            catch (TimeoutException e)
            {
                Failure = new OutpostTestException($"A call did not return within {_deliveryMax.TotalSeconds} seconds. Does it wait by the test's clock, which nobody moves?", e);
                throw Failure;
            }
            catch (Exception e)
            {
                Failure = e;
                throw;
            }
        }
    }
}

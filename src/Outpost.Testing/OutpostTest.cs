using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;

namespace Outpost.Testing;

/// <summary>
/// An app in memory, for tests: the real <see cref="EventLog"/> and the real forwarding, on a log in memory and by a clock
/// that the test moves. Nothing is forwarded before the test says so, and nothing waits.
/// </summary>
public sealed class OutpostTest : IAsyncDisposable
{
    // Handlers that run commands whose events they handle themselves would never end.
    private const int EntriesMax = 10_000;
    private const int RunsMax = 1_000;

    private readonly ServiceProvider _services;
    private readonly Sources _sources;
    private readonly IReadOnlyList<Forwarder> _forwarders;
    private readonly int _partitions;
    private readonly IEventStore _events;
    private readonly IForwardingStore _forwarding;
    private int _ids;

    /// <summary>A new app, with a new log.</summary>
    /// <param name="configure">Adds handlers, targets and events as the app does, and services that they need.</param>
    /// <param name="partitions">How many partitions its log has.</param>
    /// <param name="start">What its clock shows at first; null: 2026-01-01 in UTC.</param>
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

    /// <summary>Its clock; handlers may ask for it as a <see cref="TimeProvider"/>.</summary>
    public TestTime Time { get; }

    /// <summary>Runs commands and reads entities.</summary>
    public EventLog Log { get; }

    /// <summary>What <c>configure</c> registered, for a test that needs one of them.</summary>
    public IServiceProvider Services => _services;

    /// <summary>Longest delivery, in real time; in a debugger it has no end.</summary>
    internal TimeSpan DeliveryMax { get; init; } = Debugger.IsAttached ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(60);

    private IEnumerable<WatchedTarget> Targets => _forwarders.Select(forwarder => (WatchedTarget)forwarder.Target);

    /// <summary>
    /// Forwards until nothing is left, also of what handlers commit meanwhile. A handler or target that fails is tried again
    /// as in an app, without a wait.
    /// </summary>
    /// <exception cref="OutpostTestException">
    /// A handler or target goes on failing, or has refused an entry for good: the entry waits, or is parked (<see cref="ParkedAsync"/>).
    /// All that could be forwarded has been, and a later call goes on from there.
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

    /// <summary>All entries of the log, partition by partition and in order.</summary>
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

    /// <summary>What a handler or target has refused for good, and what waits behind it; in order.</summary>
    public async Task<IReadOnlyList<ParkedEntry>> ParkedAsync(string name) =>
        [.. (await AllParkedAsync()).Where(one => one.Forwarder == name).Select(one => one.Entry)];

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _services.DisposeAsync();

    // An engine for each run, as after a restart: it remembers no failure, and begins at once.
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

    /// <summary>Counts what is delivered, and remembers why it was not.</summary>
    private sealed class WatchedTarget(IForwardTarget inner) : IForwardTarget
    {
        private int _delivered;
        private TimeSpan _deliveryMax;

        public int Delivered => Volatile.Read(ref _delivered);

        public Exception? Failure { get; private set; }

        public void Begin(TimeSpan deliveryMax) => (_delivered, _deliveryMax, Failure) = (0, deliveryMax, null);

        public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            // Within a run, which would not end either.
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

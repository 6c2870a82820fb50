using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.AspNetCore;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.Tables;
using static Outpost.Tests.Unit.Http.Asking;
using Answer = Outpost.Tests.Unit.Http.Answer;

namespace Outpost.Tests.Unit.Agreement;

/// <summary>One process of an app on a simulated table, with its timer and everything that operators look at.</summary>
internal sealed class WatchedApp : IMeterFactory
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    public static readonly RetentionOptions TenDays = new(TimeSpan.FromDays(10), TimeSpan.FromHours(48));

    private readonly Meter _meter = new(OutpostMetrics.Name);
    private readonly MeterListener _listener = new();
    private readonly List<Measured> _measured = [];
    private readonly EventLog _commands;
    private readonly ForwardingEngine _engine;
    private readonly Heartbeats _heartbeats;
    private readonly RetentionRunner _retention;
    private readonly Ticks _ticks;
    private readonly HealthApi _health;
    private readonly OperationsApi _api;
    private readonly FaultBoundary _boundary;

    public WatchedApp(SimulatedLog log, params Forwarder[] forwarders)
    {
        Log = log;
        var metrics = new OutpostMetrics(log.Time, this);
        var process = $"process-{Guid.NewGuid():N}";
        _heartbeats = new Heartbeats(
            new TableHeartbeatStore(log.Table, log.Sources), process, [.. forwarders.Select(one => one.Name)], "*/5 * * * * *", () => log.Store.Now, log.Time);
        _commands = new EventLog(log.Store, log.Time, metrics);
        _engine = new ForwardingEngine(
            log.Store, log.Checkpoints, log.Watch, forwarders, new ForwardingOptions { Owner = process, Linger = TimeSpan.Zero }, log.Sources, metrics,
            NullLogger<ForwardingEngine>.Instance)
        { Heartbeats = _heartbeats };
        _retention = new RetentionRunner(
            log.Store, new TableRetentionStore(log.Table, log.Sources), log.Checkpoints, log.Watch, _engine, TenDays, log.Sources, metrics,
            NullLogger<RetentionRunner>.Instance);
        _ticks = new Ticks(_engine, _retention, log.Store.Heads, log.Time, NullLogger<Ticks>.Instance, _heartbeats);
        Operators = new ForwarderOperations(log.Store, log.Checkpoints, _engine, log.Sources, _heartbeats) { Retention = TenDays };
        _health = new HealthApi(log.Store, Operators, new SettingsProblems([]), log.Problems, log.Sources);
        _api = new OperationsApi(Operators, log.Store, new Links(null), log.Problems, _ticks);
        _boundary = new FaultBoundary(NullLogger<FaultBoundary>.Instance, log.Time, log.Problems);
        Listen();
    }

    public SimulatedLog Log { get; }

    public ForwarderOperations Operators { get; }

    /// <summary>Whether the timer comes.</summary>
    public bool HasTimer { get; set; } = true;

    /// <summary>Whether callers send commands.</summary>
    public bool HasCallers { get; set; }

    public IReadOnlyList<Measured> Measurements
    {
        get
        {
            lock (_measured) return [.. _measured];
        }
    }

    public Task<Answer> HealthAsync() => AnswerAsync(Request("/api/health"), ask => _health.HealthAsync(ask, CancellationToken.None));

    public Task<Answer> StatusAsync() => AnswerAsync(
        Request("/api/status"), ask => _boundary.RunAsync(ask, () => _api.StatusAsync(ask, CancellationToken.None), CancellationToken.None));

    /// <summary>One tick of the timer; what it throws, the host logs.</summary>
    public async Task TickAsync()
    {
        try
        {
            await _ticks.RunTimerAsync(Period, CancellationToken.None);
        }
        catch (OutpostException)
        {
        }
    }

    /// <summary>Fifteen seconds pass: three ticks, a few commands, and the platform asks for health.</summary>
    public async Task PassAsync()
    {
        lock (_measured) _measured.Clear();
        for (var tick = 0; tick < 3; tick++)
        {
            Log.Time.Advance(Period);
            for (var i = 0; HasCallers && i < 6; i++) await TryCommandAsync($"caller-{tick}-{i}");
            if (HasTimer) await TickAsync();
            await HealthAsync();
        }

        _listener.RecordObservableInstruments();
    }

    /// <summary>The process ends as it should.</summary>
    public async Task StopAsync()
    {
        await _engine.DisposeAsync();
        await _heartbeats.StopAsync(CancellationToken.None);
    }

    public Meter Create(MeterOptions options) => _meter;

    public void Dispose()
    {
        _listener.Dispose();
        _meter.Dispose();
    }

    private async Task TryCommandAsync(string id)
    {
        try
        {
            await _commands.ExecuteAsync(Tallies.Count(id, id), CancellationToken.None);
        }
        catch (OutpostException)
        {
        }
    }

    private void Listen()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, _meter)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.Start();
    }

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_measured) _measured.Add(new Measured(instrument.Name, tags.ToArray().ToDictionary(tag => tag.Key, tag => $"{tag.Value}"), value));
    }

    /// <summary>One value of an instrument.</summary>
    internal sealed record Measured(string Instrument, IReadOnlyDictionary<string, string> Tags, double Value);
}

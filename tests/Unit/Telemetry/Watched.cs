using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace Outpost.Tests.Unit.Telemetry;

/// <summary>
/// What a test that made one of these says and measures from then on; other tests run beside it and have the same
/// meter and source, so a listener goes by whose code is running.
/// </summary>
internal sealed class Watched : IDisposable
{
    private static readonly AsyncLocal<Watched?> Mine = new();
    private readonly ActivityListener _spans;
    private readonly MeterListener _meters = new();
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ConcurrentQueue<string> _measured = new();

    public Watched(bool spans = true)
    {
        Mine.Value = this;
        _spans = new ActivityListener
        {
            ShouldListenTo = source => spans && source.Name == OutpostMetrics.Name,
            Sample = (ref _) => Mine.Value == this ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = activity =>
            {
                if (Mine.Value == this) _ended.Enqueue(activity);
            },
        };
        ActivitySource.AddActivityListener(_spans);
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == OutpostMetrics.Name) listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measure(instrument, value, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measure(instrument, value, tags));
        _meters.Start();
    }

    /// <summary>Spans that have ended.</summary>
    public IReadOnlyList<Activity> Spans => [.. _ended];

    /// <summary>Measurements as <c>name{dimension=value} value</c>.</summary>
    public IReadOnlyList<string> Measured => [.. _measured];

    /// <summary>Asks the gauges; of all logs of this process, not only the test's own.</summary>
    public void ReadGauges() => _meters.RecordObservableInstruments();

    public void Dispose()
    {
        Mine.Value = null;
        _spans.Dispose();
        _meters.Dispose();
    }

    private void Measure(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (Mine.Value != this) return;
        var dimensions = string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"));
        _measured.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{instrument.Name}{{{dimensions}}} {value}"));
    }
}

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Outpost.Client;

/// <summary>
/// The metrics of all hosted readers of an app. There is one instance per app, and the meter factory disposes its
/// meter.
/// </summary>
internal sealed class FeedMetrics
{
    private readonly ConcurrentDictionary<string, FeedReader> _readers = new();
    private readonly Counter<long> _handled;
    private readonly Counter<long> _failures;

    public FeedMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Outpost.Client");
        _handled = meter.CreateCounter<long>("outpost.client.handled", "{entry}", "Entries handled");
        _failures = meter.CreateCounter<long>("outpost.client.failures", "{try}", "Tries that failed, by kind");
        meter.CreateObservableGauge("outpost.client.lag", Lags, "{entry}", "Entries of a partition that are not handled yet");
    }

    public void Watch(string name, FeedReader reader) => _readers[name] = reader;

    public void Handled(string name, int partition, int count)
    {
        if (count > 0) _handled.Add(count, new("reader", name), new("partition", partition));
    }

    public void Failed(string name, string kind) => _failures.Add(1, new("reader", name), new("kind", kind));

    // A position that is not known yet has no lag.
    private IEnumerable<Measurement<long>> Lags() => _readers.SelectMany(reader => reader.Value.Progress
        .Where(progress => progress.Lag is not null)
        .Select(progress => new Measurement<long>(progress.Lag!.Value, new("reader", reader.Key), new("partition", progress.Partition))));
}

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Outpost.Client;

namespace Outpost.Tests.Unit.Client;

/// <summary>An app with hosted readers of a simulated log's real feed API, and what it logged and measured.</summary>
internal sealed class HostedApp : ILoggerProvider, ILogger, IAsyncDisposable
{
    private readonly MeterListener _meters = new();
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentDictionary<string, long> _measured = new();

    public HostedApp(SimulatedLog log, Action<IServiceCollection, Action<HostedFeedOptions>> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(this).SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddSingleton<TimeProvider>(log.Time);
        builder.Services.AddSingleton(Diary);
        add(builder.Services, feed =>
        {
            feed.CreateClient = () => new HttpClient(new FeedServer(log)) { BaseAddress = new Uri("http://feed.example/"), Timeout = Timeout.InfiniteTimeSpan };
            feed.Positions = Positions;
        });
        Inner = builder.Build();
        var meters = Inner.Services.GetRequiredService<IMeterFactory>();
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Outpost.Client" && instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var key = $"{instrument.Name} {string.Join(' ', tags.ToArray().Select(tag => tag.Value))}";
            if (instrument.IsObservable) _measured[key] = value;
            else _measured.AddOrUpdate(key, value, (_, before) => before + value);
        });
        _meters.Start();
    }

    public IHost Inner { get; }

    public Diary Diary { get; } = new();

    public MemoryOffsetStore Positions { get; } = new();

    /// <summary>Lines of the reader from Information on.</summary>
    public IReadOnlyList<string> Lines => [.. _lines];

    public IReadOnlyDictionary<string, long> Measured()
    {
        _meters.RecordObservableInstruments();
        return _measured;
    }

    public ILogger CreateLogger(string categoryName) => categoryName == typeof(FeedReader).FullName ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Information) _lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }

    public void Dispose()
    {
    }

    public async ValueTask DisposeAsync()
    {
        await Inner.StopAsync();
        Inner.Dispose();
        _meters.Dispose();
    }
}

/// <summary>What handlers did, and a signal for it.</summary>
internal sealed class Diary
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];

    public Func<FeedEntry, Exception?> Failure { get; set; } = _ => null;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock) return [.. _lines];
        }
    }

    public void Add(string line)
    {
        lock (_lock)
        {
            _lines.Add(line);
            foreach (var (count, reached) in _waiting) if (_lines.Count >= count) reached.TrySetResult();
        }
    }

    public Task Has(int count)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Add((count, reached));
            if (_lines.Count >= count) reached.TrySetResult();
        }

        return reached.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }
}

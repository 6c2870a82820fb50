using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Outpost.Client;

/// <summary>One hosted reader of an app: its client, what it logs and what it measures. There is one per name.</summary>
internal sealed partial class HostedFeed : IDisposable
{
    // A connection must not outlive a change of the server's DNS name by more than this.
    private static readonly TimeSpan ConnectionsLive = TimeSpan.FromMinutes(2);

    private readonly string _name;
    private readonly ILogger _logger;
    private readonly HttpClient _http;
    private readonly FeedMetrics _metrics;

    // Partitions whose last try failed. A change of this is logged once.
    private readonly ConcurrentDictionary<int, bool> _failing = new();

    public HostedFeed(string name, HostedFeedOptions options, TimeProvider time, Random random, FeedMetrics metrics, ILogger logger)
    {
        (_name, _metrics, _logger, Options) = (name, metrics, logger, options);
        _http = options.CreateClient?.Invoke() ?? Client(options.Address!, options.Key);
        var onError = options.Reader.OnError;
        Reader = new FeedReader(_http, time, random, options.Reader with
        {
            OnError = fault =>
            {
                Failed(fault);
                onError?.Invoke(fault);
            },
        });
        metrics.Watch(name, Reader);
    }

    public HostedFeedOptions Options { get; }

    public FeedReader Reader { get; }

    public void Handled(int partition, int count)
    {
        _metrics.Handled(_name, partition, count);
        if (_failing.TryRemove(partition, out _)) WorksAgain(_name, partition);
    }

    public async Task RunAsync(Func<HostedFeed, CancellationToken, Task> run, CancellationToken stop)
    {
        Begins(_name, _http.BaseAddress);
        try
        {
            await run(this, stop);
        }
        catch (FeedException e)
        {
            Stopped(_name, e.Failure, e.Message);
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    [LoggerMessage(30, LogLevel.Information, "Feed reader {Reader} reads {Address}")]
    private partial void Begins(string reader, Uri? address);

    [LoggerMessage(31, LogLevel.Warning, "Feed reader {Reader}, partition {Partition} is failing, and tries again: {Reason}")]
    private partial void Fails(string reader, int? partition, string reason, Exception exception);

    [LoggerMessage(32, LogLevel.Debug, "Feed reader {Reader}, partition {Partition}: try {Failures} failed, the next in {Seconds} s: {Reason}")]
    private partial void FailsAgain(string reader, int? partition, int failures, double seconds, string reason);

    [LoggerMessage(33, LogLevel.Information, "Feed reader {Reader}, partition {Partition} works again")]
    private partial void WorksAgain(string reader, int partition);

    [LoggerMessage(34, LogLevel.Error, "Feed reader {Reader} has stopped, so as not to skip anything; somebody has to decide ({Failure}): {Reason}")]
    private partial void Stopped(string reader, FeedFailure failure, string reason);

    private static HttpClient Client(Uri address, string? key)
    {
        // The reader gives each request a deadline of its own, which allows for how long the server may wait.
        var client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = ConnectionsLive })
        {
            BaseAddress = new Uri($"{address.ToString().TrimEnd('/')}/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (key is not null) client.DefaultRequestHeaders.Add("x-functions-key", key);
        return client;
    }

    private void Failed(FeedFault fault)
    {
        _metrics.Failed(_name, fault.Error.GetType().Name);
        var isNew = fault.Partition is { } partition ? _failing.TryAdd(partition, true) : fault.Failures == 1;
        if (isNew) Fails(_name, fault.Partition, fault.Error.Message, fault.Error);
        else FailsAgain(_name, fault.Partition, fault.Failures, fault.RetryIn.TotalSeconds, fault.Error.Message);
    }
}

/// <summary>Runs a reader for as long as the app runs.</summary>
internal sealed class HostedFeedService(HostedFeed feed, Func<HostedFeed, CancellationToken, Task> run) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => feed.RunAsync(run, stoppingToken);
}

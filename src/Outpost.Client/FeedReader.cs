using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Outpost.Client;

/// <summary>
/// Reads the event API. For each partition, side by side, it loads the position, reads a page, handles the page and
/// stores the new position. It never skips anything: where it cannot read on without a hole, it stops with a
/// <see cref="FeedException"/>. It retries everything that may pass, for as long as it takes, with growing pauses, from the
/// stored position: broken connections, answers of 408, 429 and 5xx (not before their Retry-After), failures of the
/// store, and failures of handlers, because to pass over an entry would lose it.
/// </summary>
public sealed class FeedReader
{
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromMinutes(1);

    // The shortest time between two requests for the list, when pages tell of partitions that are not known here yet.
    private static readonly TimeSpan RefreshSoon = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly FeedReaderOptions _options;
    private readonly ConcurrentDictionary<int, PartitionReader> _partitions = new();
    private TaskCompletionSource? _pause;
    private long _askedAt;
    private int _running;

    /// <summary>
    /// Makes a reader that your program runs. <c>AddOutpostFeedReader</c> makes one that runs for as long as an app
    /// does.
    /// </summary>
    /// <param name="http">
    /// The client. Its BaseAddress is the app's, such as <c>https://orders.example/</c>. For an app in Azure, its
    /// DefaultRequestHeaders hold the key as <c>x-functions-key</c>. Its timeout must be longer than
    /// <see cref="FeedReaderOptions.Wait"/>.
    /// </param>
    /// <param name="options">How it reads. Default: the defaults of <see cref="FeedReaderOptions"/>.</param>
    /// <param name="time">Measures pauses. Default: the system's clock.</param>
    public FeedReader(HttpClient http, FeedReaderOptions? options = null, TimeProvider? time = null)
#pragma warning disable RS0030 // The defaults of who passes nothing else.
        : this(http, time ?? TimeProvider.System, Random.Shared, options)
#pragma warning restore RS0030
    {
    }

    /// <param name="http">As above.</param>
    /// <param name="time">Measures pauses.</param>
    /// <param name="random">Makes pauses differ from reader to reader; must be thread-safe.</param>
    /// <param name="options">As above.</param>
    internal FeedReader(HttpClient http, TimeProvider time, Random random, FeedReaderOptions? options = null) =>
        (_http, _time, _random, _options) = (http, time, random, options ?? new FeedReaderOptions());

    /// <summary>How far the reader is, by partition; empty until the server has listed its partitions.</summary>
    public IReadOnlyList<FeedProgress> Progress =>
        [.. _partitions.Values.Select(partition => partition.Progress).OrderBy(progress => progress.Partition)];

    /// <summary>
    /// Handles each entry at least once. The position is stored after handling, so a crash repeats what was handled
    /// since the last store, and the handler must tolerate repeats (<see cref="ReceivedEvent.Id"/> is the same each
    /// time). Entries of one partition come one after the other; partitions run side by side. When cancelled, the task
    /// ends without an exception: no further entry begins, and the position of what was handled is stored.
    /// </summary>
    /// <param name="store">Where the positions are kept.</param>
    /// <param name="handle">Handles one entry. After an exception the same entry comes again, for as long as it takes.</param>
    /// <param name="cancellationToken">Stops the reader.</param>
    /// <exception cref="FeedException">The reader must not or cannot go on.</exception>
    public Task RunAsync(IOffsetStore store, Func<FeedEntry, CancellationToken, Task> handle, CancellationToken cancellationToken) =>
        RunAsync(store.LoadAsync, new StoringHandler(store, handle, _options.StoreEachEntry, _time).HandleAsync, cancellationToken);

    /// <summary>
    /// Handles each page exactly once, where <paramref name="handle"/> stores <see cref="FeedPage.Next"/> in the same
    /// transaction as its effect; this method stores nothing. The transaction must fail where the stored position is no
    /// longer <see cref="FeedPage.Position"/>. After an exception the reader calls <paramref name="load"/> and goes on
    /// from its answer, whether or not the transaction took effect. When cancelled, the task ends without an exception.
    /// </summary>
    /// <param name="load">Loads the stored position of a partition; null: none yet.</param>
    /// <param name="handle">Handles a page and stores its position. Pages without entries come too.</param>
    /// <param name="cancellationToken">Stops the reader; the handler gets it too.</param>
    /// <exception cref="FeedException">The reader must not or cannot go on.</exception>
    public async Task RunAsync(
        Func<int, CancellationToken, Task<FeedPosition?>> load, Func<FeedPage, CancellationToken, Task> handle, CancellationToken cancellationToken)
    {
        _options.Validate();
        if (Interlocked.Exchange(ref _running, 1) == 1) throw new InvalidOperationException("This reader runs already.");
        _partitions.Clear();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tasks = new List<Task>();
        Exception? fault = null;
        try
        {
            await UntilStoppedAsync(WatchAsync(reader => tasks.Add(UntilStoppedAsync(reader.RunAsync(stop.Token))), load, handle, stop.Token));
            await Task.WhenAll(tasks);
            if (fault is not null) ExceptionDispatchInfo.Throw(fault);
        }
        finally
        {
            _running = 0;
        }

        // The first task that fails stops the others.
        async Task UntilStoppedAsync(Task task)
        {
            try
            {
                await task;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                Stop(e);
            }
        }

        // Cancels synchronously, so that no other partition begins another entry.
        void Stop(Exception because)
        {
            Interlocked.CompareExchange(ref fault, because, null);
            stop.Cancel();
        }
    }

    /// <summary>Finds the partitions, starts a reader for each, and watches their heads and the log's id.</summary>
    private async Task WatchAsync(
        Action<PartitionReader> start,
        Func<int, CancellationToken, Task<FeedPosition?>> load,
        Func<FeedPage, CancellationToken, Task> handle,
        CancellationToken cancellationToken)
    {
        var requests = new FeedRequests(_http, _time, _options);
        var log = null as string;
        for (var failures = 0; ;)
        {
            var pause = RefreshEvery;
            try
            {
                Volatile.Write(ref _askedAt, _time.GetTimestamp());
                var answer = await requests.PartitionsAsync(cancellationToken);
                log ??= answer.Log;
                if (answer.Log != log)
                    throw new FeedException(FeedFailure.OtherLog, $"The server has another log now: '{answer.Log}', no longer '{log}'.") { Log = answer.Log };
                foreach (var state in answer.Partitions)
                {
                    if (!_partitions.TryGetValue(state.Partition, out var reader))
                    {
                        _partitions[state.Partition] = reader = new PartitionReader(state.Partition, log, requests, load, handle, Report, SawPartitions, _options, _time);
                        start(reader);
                    }

                    reader.SawHead(state.Head);
                }

                failures = 0;
            }
            catch (Exception e) when (e is not FeedException && !(e is OperationCanceledException && cancellationToken.IsCancellationRequested))
            {
                pause = Report(null, e, ++failures);
            }

            await PauseAsync(pause, cancellationToken);
        }
    }

    private void SawPartitions(long partitions)
    {
        if (partitions > _partitions.Count && _time.GetElapsedTime(Volatile.Read(ref _askedAt)) >= RefreshSoon) Volatile.Read(ref _pause)?.TrySetResult();
    }

    // Ends early when a page tells of partitions that were added meanwhile.
    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var leaving = cancellationToken.UnsafeRegister(static (over, token) => ((TaskCompletionSource)over!).TrySetCanceled(token), over);
        await using var end = _time.CreateTimer(static over => ((TaskCompletionSource)over!).TrySetResult(), over, pause, Timeout.InfiniteTimeSpan);
        Volatile.Write(ref _pause, over);
        await over.Task;
    }

    /// <summary>Reports a failure and decides how long to wait.</summary>
    private TimeSpan Report(int? partition, Exception e, int failures)
    {
        var pause = Backoff.After(failures, (e as UnavailableException)?.RetryAfter, _random.NextDouble());
        _options.OnError?.Invoke(new FeedFault(partition, e, failures, pause));
        return pause;
    }
}

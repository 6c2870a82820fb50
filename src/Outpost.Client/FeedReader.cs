using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Outpost.Client;

/// <summary>
/// Reads the event API: for each partition, side by side, load the position, read a page, handle it, store the position.
/// Nothing is ever skipped: what cannot be read without a hole stops the reader with a <see cref="FeedException"/>.
/// Everything that may pass is tried again for as long as it takes, with growing pauses, from what is stored: connections,
/// 408, 429 and 5xx (not before their Retry-After), the store, and handlers, since passing over an entry would lose it.
/// </summary>
public sealed class FeedReader
{
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromMinutes(1);

    // Where pages tell of partitions that are not known here yet.
    private static readonly TimeSpan RefreshSoon = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly FeedReaderOptions _options;
    private readonly ConcurrentDictionary<int, PartitionReader> _partitions = new();
    private TaskCompletionSource? _pause;
    private long _askedAt;
    private int _running;

    /// <summary>A reader that a program runs by itself; <c>AddOutpostFeedReader</c> makes one for as long as an app runs.</summary>
    /// <param name="http">
    /// Its BaseAddress is the app's, such as <c>https://orders.example/</c>; in Azure its DefaultRequestHeaders have the key as
    /// <c>x-functions-key</c>. Its timeout must be longer than <see cref="FeedReaderOptions.Wait"/>.
    /// </param>
    /// <param name="options">Default: as <see cref="FeedReaderOptions"/> says.</param>
    /// <param name="time">Measures pauses. Default: the system's clock.</param>
    public FeedReader(HttpClient http, FeedReaderOptions? options = null, TimeProvider? time = null)
#pragma warning disable RS0030 // The defaults of who passes nothing else.
        : this(http, time ?? TimeProvider.System, Random.Shared, options)
#pragma warning restore RS0030
    {
    }

    /// <param name="http">As above.</param>
    /// <param name="time">Measures pauses.</param>
    /// <param name="random">For pauses that differ from reader to reader; thread-safe.</param>
    /// <param name="options">As above.</param>
    internal FeedReader(HttpClient http, TimeProvider time, Random random, FeedReaderOptions? options = null) =>
        (_http, _time, _random, _options) = (http, time, random, options ?? new FeedReaderOptions());

    /// <summary>Where it stands, by partition; empty until the server has said which there are.</summary>
    public IReadOnlyList<FeedProgress> Progress =>
        [.. _partitions.Values.Select(partition => partition.Progress).OrderBy(progress => progress.Partition)];

    /// <summary>
    /// At least once: stores the position after handling, so a crash repeats what was handled since, and a handler must
    /// bear repeats (<see cref="ReceivedEvent.Id"/> is the same each time). Entries of a partition come one after the other,
    /// partitions side by side. Ends, without an exception, when cancelled: no further entry is begun, and what was
    /// handled is stored.
    /// </summary>
    /// <param name="store">Where the positions are kept.</param>
    /// <param name="handle">Handles one entry. After an exception the same entry comes again, for as long as it takes.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="FeedException">It must not or cannot go on.</exception>
    public Task RunAsync(IOffsetStore store, Func<FeedEntry, CancellationToken, Task> handle, CancellationToken cancellationToken) =>
        RunAsync(store.LoadAsync, new StoringHandler(store, handle, _options.StoreEachEntry, _time).HandleAsync, cancellationToken);

    /// <summary>
    /// Exactly once, where <paramref name="handle"/> stores <see cref="FeedPage.Next"/> in the same transaction as its
    /// effect; nothing is stored here. The transaction must fail where the stored position is no longer
    /// <see cref="FeedPage.Position"/>. After an exception, whatever came of the transaction, reading goes on from what
    /// <paramref name="load"/> then says. Ends, without an exception, when cancelled.
    /// </summary>
    /// <param name="load">The stored position of a partition; null: none yet.</param>
    /// <param name="handle">Handles a page and stores its position; also pages without entries.</param>
    /// <param name="cancellationToken">Stops it; handlers get it too.</param>
    /// <exception cref="FeedException">It must not or cannot go on.</exception>
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

        // The first that fails stops the others.
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

        // Here and now: no other partition begins another entry.
        void Stop(Exception because)
        {
            Interlocked.CompareExchange(ref fault, because, null);
            stop.Cancel();
        }
    }

    /// <summary>Finds the partitions, starts a reader for each, and keeps an eye on their heads and on the log's id.</summary>
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

    // Shorter where a page tells of partitions that came meanwhile.
    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var leaving = cancellationToken.UnsafeRegister(static (over, token) => ((TaskCompletionSource)over!).TrySetCanceled(token), over);
        await using var end = _time.CreateTimer(static over => ((TaskCompletionSource)over!).TrySetResult(), over, pause, Timeout.InfiniteTimeSpan);
        Volatile.Write(ref _pause, over);
        await over.Task;
    }

    /// <summary>Tells of a failure and decides how long to wait.</summary>
    private TimeSpan Report(int? partition, Exception e, int failures)
    {
        var pause = Backoff.After(failures, (e as UnavailableException)?.RetryAfter, _random.NextDouble());
        _options.OnError?.Invoke(new FeedFault(partition, e, failures, pause));
        return pause;
    }
}

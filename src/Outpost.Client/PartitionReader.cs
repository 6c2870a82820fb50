namespace Outpost.Client;

/// <summary>
/// The loop over one partition: load the position, read a page, handle it, go on. It answers every failure in the same
/// way: it waits, and begins again from the stored position.
/// </summary>
internal sealed class PartitionReader(
    int partition,
    string log,
    FeedRequests requests,
    Func<int, CancellationToken, Task<FeedPosition?>> load,
    Func<FeedPage, CancellationToken, Task> handle,
    Func<int?, Exception, int, TimeSpan> report,
    Action<long> sawPartitions,
    FeedReaderOptions options,
    TimeProvider time)
{
    private readonly Lock _lock = new();
    private FeedProgress _progress = new(partition, null, 0, null);

    public FeedProgress Progress
    {
        get
        {
            lock (_lock) return _progress;
        }
    }

    public void SawHead(long head) => Update(progress => progress with { Head = Math.Max(progress.Head, head) });

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Partitions must run side by side even where a handler never waits.
        await Task.Yield();
        var position = null as FeedPosition;
        for (var failures = 0; !cancellationToken.IsCancellationRequested;)
        {
            TimeSpan pause;
            try
            {
                position ??= await StartAsync(cancellationToken);
                (position, pause) = await StepAsync(position, cancellationToken);
                failures = 0;
            }
            catch (Exception e) when (IsToBeTriedAgain(e, cancellationToken))
            {
                // Nobody knows whether the handler's transaction or the store took effect. Only the stored position can tell.
                position = null;
                pause = report(partition, e, ++failures);
            }

            if (pause > TimeSpan.Zero) await Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <summary>Reads, handles and stores one page.</summary>
    private async Task<(FeedPosition Next, TimeSpan Pause)> StepAsync(FeedPosition position, CancellationToken cancellationToken)
    {
        var page = await requests.PageAsync(position, cancellationToken);
        SawHead(page.Head ?? page.Next.Offset);
        if (page.Partitions is { } partitions) sawPartitions(partitions);
        if (page.Next == position)
        {
            Update(progress => progress with { LastError = null });
            var asked = Backoff.Bounded(page.RetryAfter);
            return (position, asked > options.PollInterval ? asked : options.PollInterval);
        }

        await handle(new FeedPage(position, page.Entries, page.Next), cancellationToken);
        Update(progress => progress with { Position = page.Next, LastError = null });
        return (page.Next, TimeSpan.Zero);
    }

    /// <summary>
    /// Loads the stored position. A new reader stores where it starts before it reads, so that a crash does not move
    /// its start.
    /// </summary>
    private async Task<FeedPosition> StartAsync(CancellationToken cancellationToken)
    {
        var position = await load(partition, cancellationToken);
        if (position is null)
        {
            var now = await requests.RecentPartitionsAsync(cancellationToken);
            var state = now.Partitions.First(state => state.Partition == partition);
            var isFromHead = options.StartsAtHead && !await HasGrownUnderAsync(now, cancellationToken);
            position = new FeedPosition(log, partition, isFromHead ? state.Head : state.Oldest);
            if (now.Log != log) throw FeedException.OtherLog(position, now.Log);
            await handle(new FeedPage(null, [], position), cancellationToken);
        }

        if (position.Partition != partition)
            throw new FeedException(FeedFailure.InvalidPosition, $"The position loaded for partition {partition} is {position}.") { Position = position };
        if (position.Log != log) throw FeedException.OtherLog(position, log);
        Update(progress => progress with { Position = position });
        return position;
    }

    // True for a partition that was added after this reader's first start: nothing in it is too old for the reader.
    private async Task<bool> HasGrownUnderAsync(LogAnswer now, CancellationToken cancellationToken) =>
        partition >= now.CreatedWith && await load(0, cancellationToken) is not null;

    private bool IsToBeTriedAgain(Exception e, CancellationToken cancellationToken)
    {
        if (e is OperationCanceledException && cancellationToken.IsCancellationRequested) return false;
        Update(progress => progress with { LastError = e });
        return e is not FeedException;
    }

    private void Update(Func<FeedProgress, FeedProgress> change)
    {
        lock (_lock) _progress = change(_progress);
    }
}

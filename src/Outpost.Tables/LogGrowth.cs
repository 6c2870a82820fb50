using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// Gives a log more partitions while it is in use. Nothing moves: entities stay where they are, and new ones go by the new
/// count. If a process dies halfway, the next one finishes its work. Thread-safe.
/// <para>
/// There are four steps, and each may be repeated. The layout row says what the log grows to. Each new partition gets a head and
/// the forwarders' checkpoints. Each old head gets the new generation, by compare-and-swap. The layout row says that the log has
/// grown. A writer accepts a new entity only on a head of the generation by which the entity was looked for. So once an old head
/// is written, nobody adds an entity there that belongs elsewhere. Nobody uses the new count before all old heads are written.
/// </para>
/// </summary>
internal sealed class LogGrowth
{
    // A partition is written a few hundred times a second at most. Losing every race for this long must have another cause.
    private static readonly TimeSpan StepMax = TimeSpan.FromMinutes(1);

    // How many partitions are worked on at once: as many as a storage account takes, however much there is to do.
    private const int AtOnce = 16;

    // One transaction holds the head, and a checkpoint and a control row of each forwarder.
    private const int ForwardersMax = (Limits.TransactionRowsMax - 1) / 2;

    private readonly StoreCalls _calls;
    private readonly StoreClock _clock;
    private readonly Sources _sources;

    /// <summary>Grows the log in a table.</summary>
    public LogGrowth(TableClient table, StoreClock clock, Sources sources)
        : this(new StoreCalls(table, sources.Time), clock, sources)
    {
    }

    internal LogGrowth(StoreCalls calls, StoreClock clock, Sources sources) => (_calls, _clock, _sources) = (calls, clock, sources);

    /// <summary>
    /// Grows the log to this many partitions, and first finishes a growth that somebody else began. If the log has as many already,
    /// only its old heads are checked once more.
    /// </summary>
    /// <param name="partitions">The new count: at least the current one, and at most <see cref="Limits.PartitionsMax"/>.</param>
    /// <param name="progress">Receives the progress of each step; may be null.</param>
    /// <param name="cancellationToken">Stops the growth; the next call continues it.</param>
    /// <exception cref="LayoutMismatchException">There is no log, or it has more partitions, or too many forwarders to grow.</exception>
    /// <exception cref="StoreUnavailableException">The store cannot be reached. Call again.</exception>
    public async Task<LogLayout> GrowAsync(int partitions, IProgress<GrowthProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(partitions, Limits.PartitionsMax);
        while (true)
        {
            var row = await ReadAsync(cancellationToken);
            if (row.Growing is not null) row = await FinishAsync(row, progress, cancellationToken);
            var now = row.Layout.Partitions;
            if (partitions < now)
                throw new LayoutMismatchException($"The log in table '{_calls.Table.Name}' has {now} partitions. A log never has fewer than it had.");
            if (partitions == now)
            {
                var old = row.Layout.Generation == 1 ? 0 : row.Layout.Counts[^2];
                await EachAsync("Heads of old partitions", 0, old, partition => FenceAsync(partition, row.Layout.Generation, cancellationToken), progress);
                return row.Layout;
            }

            if ((await ForwardersAsync(row.Layout, cancellationToken)).Count is var count and > ForwardersMax)
                throw new LayoutMismatchException($"The log has {count} forwarders, and can grow with at most {ForwardersMax}: forget those that no longer exist.");
            await WriteAsync(row with { Growing = partitions }, cancellationToken);
        }
    }

    /// <summary>Does all that is left to do, and returns the layout row as it is then.</summary>
    internal async Task<LayoutRow> FinishAsync(LayoutRow row, IProgress<GrowthProgress>? progress, CancellationToken cancellationToken)
    {
        while (row.Growing is { } partitions)
        {
            var generation = row.Layout.Generation + 1;
            var forwarders = await ForwardersAsync(row.Layout, cancellationToken);
            await EachAsync("New partitions", row.Layout.Partitions, partitions, partition => BeginAsync(partition, generation, forwarders, cancellationToken), progress);
            await EachAsync("Heads of old partitions", 0, row.Layout.Partitions, partition => FenceAsync(partition, generation, cancellationToken), progress);
            await WriteAsync(row with { Layout = row.Layout.GrownTo(partitions), Growing = null }, cancellationToken);
            row = await ReadAsync(cancellationToken);
        }

        return row;
    }

    private async Task<LayoutRow> ReadAsync(CancellationToken cancellationToken) => await _calls.ReachAsync(
        async end => await _calls.FindAsync(Keys.LayoutPartition, Keys.Layout, end) is { } row ? LayoutRow.Read(row, _calls.Table.Name) : null, cancellationToken)
        ?? throw new LayoutMismatchException($"There is no log in table '{_calls.Table.Name}'.");

    // A lost race is no error: the caller reads the row again, and finds its own write or a faster one.
    private async Task WriteAsync(LayoutRow row, CancellationToken cancellationToken)
    {
        try
        {
            await _calls.ReachAsync(end => _calls.Table.UpdateEntityAsync(row.Write(), row.Tag, TableUpdateMode.Replace, end), cancellationToken);
        }
        catch (RequestFailedException e) when (TableErrors.IsChangedOrGone(e))
        {
        }
    }

    // The rows that each forwarder with a checkpoint gets in a new partition. It begins with the first entry there, wherever it began
    // elsewhere. It is paused there if it is paused in all other partitions.
    private async Task<IReadOnlyList<TableEntity>> ForwardersAsync(LogLayout layout, CancellationToken cancellationToken)
    {
        var (within, paused) = (new Dictionary<string, long?>(StringComparer.Ordinal), new Dictionary<string, List<TableEntity>>(StringComparer.Ordinal));
        for (var partition = 0; partition < layout.Partitions; partition++)
        {
            foreach (var row in await _calls.ReachAsync(end => _calls.RowsAsync(Keys.Partition(partition), Keys.CheckpointsFrom, Keys.CheckpointsEnd, null, null, end).ToListAsync(end).AsTask(), cancellationToken))
            {
                if (Keys.CheckpointForwarder(row.RowKey) is { } name) within[name] = row.WholeOrNull("WithinSeconds", int.MaxValue) ?? within.GetValueOrDefault(name);
                else if (Keys.ControlForwarder(row.RowKey) is { } held && row.Flag("Paused")) paused[held] = [.. paused.GetValueOrDefault(held) ?? [], row];
            }
        }

        return
        [
            .. within.Select(one => CheckpointRow.Write("", new Forwarding.Checkpoint
            {
                Forwarder = one.Key,
                NextOffset = 0,
                IsNew = true,
                Within = one.Value is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            })),
            .. paused.Where(one => within.ContainsKey(one.Key) && one.Value.Count == layout.Partitions)
                .Select(one => ControlRow.Write("", one.Key, ControlRow.Read(one.Value[0]) with { Requests = [], Last = 0 })),
        ];
    }

    // One transaction: a second try, however late it lands, brings back no forwarder that was forgotten meanwhile.
    private Task BeginAsync(int partition, int generation, IReadOnlyList<TableEntity> forwarders, CancellationToken cancellationToken) => UntilAsync(
        async end =>
        {
            var key = Keys.Partition(partition);
            if (await _calls.FindAsync(key, Keys.Head, end) is not null) return true;
            var rows = forwarders.Select(row => new TableEntity(row) { PartitionKey = key, RowKey = row.RowKey });
            await _calls.Table.SubmitAsync([.. rows.Prepend(First(generation).Row(key)).Select(row => new TableTransactionAction(TableTransactionActionType.Add, row))], end);
            return true;
        },
        cancellationToken);

    private Task FenceAsync(int partition, int generation, CancellationToken cancellationToken) => UntilAsync(
        async end =>
        {
            var key = Keys.Partition(partition);
            if (await _calls.FindAsync(key, Keys.Head, end) is not { } row)
            {
                // Otherwise a process that does not know of the growth would create the head.
                await _calls.Table.AddEntityAsync(First(generation).Row(key), end);
                return true;
            }

            var head = HeadRow.Read(row);
            if (head.Generation >= generation) return true;
            // Offset and commit stay the same for a writer that looks for the outcome of its commit.
            await _calls.Table.UpdateEntityAsync((head with { Generation = generation }).Row(key), head.Tag!.Value, TableUpdateMode.Replace, end);
            return true;
        },
        cancellationToken);

    private HeadRow First(int generation) => new(null, 0, "grown", _clock.Now) { Generation = generation };

    // After a lost race or a lost answer, the step looks again. It does nothing twice.
    private async Task UntilAsync(Func<CancellationToken, Task<bool>> step, CancellationToken cancellationToken)
    {
        for (var start = _sources.Time.GetTimestamp(); ;)
        {
            try
            {
                await _calls.ReachAsync(step, cancellationToken);
                return;
            }
            catch (Exception e) when (IsToBeTriedAgain(e, cancellationToken) && _sources.Time.GetElapsedTime(start) < StepMax)
            {
                await Task.Delay(TimeSpan.FromMilliseconds((e is RequestFailedException ? 10 : 300) * _sources.NextRandom()), _sources.Time, cancellationToken);
            }
        }
    }

    private static bool IsToBeTriedAgain(Exception e, CancellationToken cancellationToken) => !cancellationToken.IsCancellationRequested &&
        (e is RequestFailedException refused && (TableErrors.IsConflict(refused) || TableErrors.IsChangedOrGone(refused))
            || (TableErrors.IsTransient(e, cancellationToken) && !TableErrors.IsHopeless(e)));

    private static async Task EachAsync(string? step, int from, int below, Func<int, Task> work, IProgress<GrowthProgress>? progress)
    {
        for (var next = from; next < below; next += AtOnce)
        {
            await Task.WhenAll(Enumerable.Range(next, Math.Min(AtOnce, below - next)).Select(work));
            if (step is not null) progress?.Report(new GrowthProgress(step, Math.Min(next + AtOnce, below) - from, below - from));
        }
    }
}

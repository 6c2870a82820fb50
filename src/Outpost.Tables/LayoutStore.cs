using Azure;

namespace Outpost.Tables;

/// <summary>
/// What this process knows of the layout row. It reads the row at first use, creates it if there is none, and reads it again
/// when a head shows that the log has grown.
/// </summary>
internal sealed class LayoutStore(StoreCalls calls, int partitions, StoreClock clock, Sources sources, Action<LogLayout> known)
{
    private const int LogIdLength = 8;

    // The shortest time between two looks. While the log grows, or after its grower died, every head that is read asks for a look.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    // Usually the process that grows the log is done by then. The jitter keeps all others from doing its work at once.
    private static readonly TimeSpan HelpAfter = TimeSpan.FromSeconds(1);

    // One answer in many has a wrong time, if any. A store whose every answer has another time is used all the same.
    private const int TimeTriesMax = 5;

    private readonly SharedReads<Wish, LogLayout> _reads = new();
    private LogLayout? _known;
    private long? _lookedAt;

    // Set when the table holds another log. From then on, this process neither writes to the table nor serves it.
    private LayoutMismatchException? _wentBack;

    private enum Wish
    {
        Open,
        Refresh,
        Finish,
    }

    /// <summary>The newest layout that this process has read; null until the first read.</summary>
    public LogLayout? Known => Volatile.Read(ref _known);

    public ValueTask<LogLayout> GetAsync(CancellationToken cancellationToken) =>
        Volatile.Read(ref _wentBack) is { } another ? ValueTask.FromException<LogLayout>(new LayoutMismatchException(another.Message))
        : Known is { } layout ? new ValueTask<LogLayout>(layout) : new ValueTask<LogLayout>(OpenAsync(cancellationToken));

    /// <summary>The layout as stored now.</summary>
    public async Task<LogLayout> RefreshAsync(CancellationToken cancellationToken)
    {
        if (Known is null) return await GetAsync(cancellationToken);
        return await _reads.ReadAsync(Wish.Refresh, RereadAsync, isForGood: _ => false, cancellationToken);
    }

    /// <summary>Takes note of a head that was read. If the head is of a newer generation, reads the layout again.</summary>
    public async Task SawAsync(HeadRow head, CancellationToken cancellationToken)
    {
        if (Known is not { } layout || head.Generation <= layout.Generation) return;
        if (_lookedAt is { } at && sources.Time.GetElapsedTime(at) < LookAgain) return;
        _lookedAt = sources.Time.GetTimestamp();
        await RefreshAsync(cancellationToken);
    }

    /// <summary>
    /// Call this when a new entity was refused because the log grows, or has grown. No new entity can be written before the growth
    /// is finished, so this method finishes what the process that began it has left undone.
    /// </summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        var before = Known?.Generation ?? 0;
        if ((await RefreshAsync(cancellationToken)).Generation > before) return;
        await _reads.ReadAsync(Wish.Finish, HelpAsync, isForGood: _ => true, cancellationToken);
    }

    private async Task<LogLayout> HelpAsync()
    {
        await Task.Delay(HelpAfter * (0.5 + (sources.NextRandom() / 2)), sources.Time);
        var row = await ReadAgainAsync();
        if (row.Growing is not null) row = await new LogGrowth(calls, clock, sources).FinishAsync(row, null, CancellationToken.None);
        return Know(row.Layout);
    }

    private async Task<LogLayout> RereadAsync()
    {
        var row = await ReadAgainAsync();
        return Know(row.Layout) with { IsGrowing = row.Growing is not null };
    }

    private async Task<LayoutRow> ReadAgainAsync()
    {
        var row = await calls.ReachAsync(ReadAsync, CancellationToken.None);
        if (row is not null && (Known is not { } layout || (row.Layout.Log == layout.Log && row.Layout.Generation >= layout.Generation))) return row;
        _wentBack = calls.WentBack(
            Keys.LayoutPartition,
            $"Table '{calls.Table.Name}' has another layout than the one that this process began with: another log, or an older one. "
            + "Start the app again; docs/restore.md says what else to do.");
        throw _wentBack;
    }

    // One caller starts the read, and it ends for all who wait, even if that caller leaves: one call with one deadline.
    private async Task<LogLayout> OpenAsync(CancellationToken cancellationToken) => await _reads.ReadAsync(
        Wish.Open,
        async () => Known ?? Know(Check((await calls.ReachAsync(OpenRowAsync, CancellationToken.None)).Layout)),
        isForGood: _ => true,
        cancellationToken);

    // No lease, no commit and no deletion may go by a time that only one answer tells: this process may have just started.
    private async Task<LayoutRow> OpenRowAsync(CancellationToken end)
    {
        var row = await ReadAsync(end) ?? await CreateAsync(end);
        for (var tries = 0; clock.IsInDoubt && tries < TimeTriesMax; tries++) row = await ReadAsync(end) ?? row;
        return row;
    }

    // Two reads may end in reverse order, so an older layout must not replace a newer one.
    private LogLayout Know(LogLayout layout)
    {
        lock (_reads)
        {
            if (_known is { } newer && newer.Generation >= layout.Generation) return newer;
            _known = layout;
        }

        known(layout);
        return layout;
    }

    private async Task<LayoutRow?> ReadAsync(CancellationToken end)
    {
        try
        {
            return await calls.FindAsync(Keys.LayoutPartition, Keys.Layout, end) is { } row ? LayoutRow.Read(row, calls.Table.Name) : null;
        }
        catch (Exception e) when (Known is null && TableErrors.IsTableMissing(e))
        {
            return null;
        }
    }

    private async Task<LayoutRow> CreateAsync(CancellationToken end)
    {
        var row = LayoutRow.New(NewLogId(sources.NewId()), partitions);
        try
        {
            await calls.Table.CreateIfNotExistsAsync(end);
            await calls.Table.AddEntityAsync(row, end);
            return LayoutRow.Read(row, calls.Table.Name);
        }
        catch (RequestFailedException e) when (TableErrors.IsForbidden(e))
        {
            throw StoreCalls.Unreadable(e);
        }
        catch (RequestFailedException e) when (TableErrors.IsConflict(e))
        {
            // Another process was faster, or a retry met our own row. Either way, the stored row counts.
            return await ReadAsync(end)
                   ?? throw new InvalidOperationException("The layout row exists but cannot be read.", e);
        }
    }

    private LogLayout Check(LogLayout layout)
    {
        if (layout.Partitions == partitions) return layout;
        var stored = $"Outpost__PartitionCount: '{partitions}' does not fit table '{calls.Table.Name}', whose log has {layout.Partitions} partitions. ";
        throw new LayoutMismatchException(partitions > layout.Partitions
            ? stored + $"Grow the log first: outpost grow --partitions {partitions} --name {calls.Table.Name} --table <connection string or service URI>. Or set it to {layout.Partitions}."
            : stored + $"A log never has fewer than it had: set it to {layout.Partitions}, or name another table in Outpost__TableName.");
    }

    public static string NewLogId(Guid id)
    {
        const string Digits = "abcdefghijklmnopqrstuvwxyz0123456789";
        var number = new System.Numerics.BigInteger(id.ToByteArray(), isUnsigned: true);
        return string.Create(LogIdLength, number, static (span, rest) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = Digits[(int)(rest % Digits.Length)];
                rest /= Digits.Length;
            }
        });
    }
}

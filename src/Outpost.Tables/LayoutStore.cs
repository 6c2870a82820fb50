using Azure;

namespace Outpost.Tables;

/// <summary>
/// What this process knows of the layout row: read at first, created where there is none yet, and read again when a head
/// tells that the log has grown.
/// </summary>
internal sealed class LayoutStore(StoreCalls calls, int partitions, StoreClock clock, Sources sources, Action<LogLayout> known)
{
    private const int LogIdLength = 8;

    // While the log grows, or where whoever grew it died, each head that is read tells so again.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    // Whoever grows the log is done by then, as a rule; and not all processes do its work in its place.
    private static readonly TimeSpan HelpAfter = TimeSpan.FromSeconds(1);

    private readonly SharedReads<Wish, LogLayout> _reads = new();
    private LogLayout? _known;
    private long? _lookedAt;

    // The table holds another log: this process neither writes to it nor serves it any more.
    private LayoutMismatchException? _wentBack;

    private enum Wish
    {
        Open,
        Refresh,
        Finish,
    }

    /// <summary>Null until it was read.</summary>
    public LogLayout? Known => Volatile.Read(ref _known);

    public ValueTask<LogLayout> GetAsync(CancellationToken cancellationToken) =>
        Volatile.Read(ref _wentBack) is { } another ? ValueTask.FromException<LogLayout>(new LayoutMismatchException(another.Message))
        : Known is { } layout ? new ValueTask<LogLayout>(layout) : new ValueTask<LogLayout>(OpenAsync(cancellationToken));

    /// <summary>As it is stored now.</summary>
    public async Task<LogLayout> RefreshAsync(CancellationToken cancellationToken)
    {
        if (Known is null) return await GetAsync(cancellationToken);
        return await _reads.ReadAsync(Wish.Refresh, RereadAsync, isForGood: _ => false, cancellationToken);
    }

    /// <summary>A head was read: where it is of a newer generation, the layout is read again.</summary>
    public async Task SawAsync(HeadRow head, CancellationToken cancellationToken)
    {
        if (Known is not { } layout || head.Generation <= layout.Generation) return;
        if (_lookedAt is { } at && sources.Time.GetElapsedTime(at) < LookAgain) return;
        _lookedAt = sources.Time.GetTimestamp();
        await RefreshAsync(cancellationToken);
    }

    /// <summary>
    /// A new entity was refused since the log grows, or has grown. Until that is done no new entity can be taken, so
    /// whatever whoever began it has left undone is done here.
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

    // Begun by one, and ended for all who wait, whoever leaves: one call with one deadline, whatever it takes.
    private async Task<LogLayout> OpenAsync(CancellationToken cancellationToken) => await _reads.ReadAsync(
        Wish.Open,
        async () => Known ?? Know(Check((await calls.ReachAsync(async end => await ReadAsync(end) ?? await CreateAsync(end), CancellationToken.None)).Layout)),
        isForGood: _ => true,
        cancellationToken);

    // Two reads may end in the other order than they began.
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
            // Another process was faster, or this is our own row after a repeat: either way what is stored counts.
            return await ReadAsync(end)
                   ?? throw new InvalidOperationException("The layout row exists and cannot be read.", e);
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

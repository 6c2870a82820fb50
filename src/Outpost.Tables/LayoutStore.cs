using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>Reads the layout row, and creates table and row where there are none yet.</summary>
internal sealed class LayoutStore(StoreCalls calls, int partitions, Sources sources)
{
    public const long SchemaVersion = 1;
    private const int LogIdLength = 8;
    private readonly SharedReads<int, LogLayout> _opening = new();
    private LogLayout? _known;

    /// <summary>Null until it was read.</summary>
    public LogLayout? Known => _known;

    public ValueTask<LogLayout> GetAsync(CancellationToken cancellationToken) =>
        _known is { } layout ? new ValueTask<LogLayout>(layout) : new ValueTask<LogLayout>(OpenAsync(cancellationToken));

    // Begun by one, and ended for all who wait, whoever leaves: one call with one deadline, whatever it takes.
    private async Task<LogLayout> OpenAsync(CancellationToken cancellationToken) =>
        _known = await _opening.ReadAsync(
            0,
            () => calls.ReachAsync(async end => _known ?? await ReadAsync(end) ?? await CreateAsync(end), CancellationToken.None),
            isForGood: _ => true,
            cancellationToken);

    private async Task<LogLayout?> ReadAsync(CancellationToken end)
    {
        try
        {
            return await calls.FindAsync(Keys.LayoutPartition, Keys.Layout, end) is { } row ? Check(row) : null;
        }
        catch (Exception e) when (TableErrors.IsTableMissing(e))
        {
            return null;
        }
    }

    private async Task<LogLayout> CreateAsync(CancellationToken end)
    {
        var row = new TableEntity(Keys.LayoutPartition, Keys.Layout)
        {
            ["Schema"] = SchemaVersion,
            ["Partitions"] = (long)partitions,
            ["Log"] = NewLogId(sources.NewId()),
        };
        try
        {
            await calls.Table.CreateIfNotExistsAsync(end);
            await calls.Table.AddEntityAsync(row, end);
            return Check(row);
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

    private LogLayout Check(TableEntity row)
    {
        var schema = row.Whole("Schema");
        var stored = row.Whole("Partitions");
        if (schema != SchemaVersion)
            throw new LayoutMismatchException(
                $"Table '{calls.Table.Name}' has schema version {schema}; this program reads and writes version {SchemaVersion}.");
        if (stored != partitions)
            throw new LayoutMismatchException(
                $"Outpost__PartitionCount: '{partitions}' does not fit table '{calls.Table.Name}', whose log has {stored} partitions. " +
                $"The count is fixed when a log is created: set it to {stored}, or name another table in Outpost__TableName.");
        var log = row.Text("Log");
        return EventId.TryParse($"{log}-0000-{0:D19}", out _) ? new LogLayout(log, partitions) : throw Fields.Damage(row, "Log", log, "an id of eight characters");
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

namespace Outpost.Tables;

/// <summary>
/// Reads event rows for the whole process: for forwarders, replays and readers of the feed. The size of the rows read before
/// decides how many a request asks for. The answers on their way are bounded in bytes. Thread-safe.
/// </summary>
internal sealed class EventReads(StoreCalls calls, LayoutStore layout)
{
    // In bytes. An answer is in memory several times while the client reads it: as bytes, as text, and as rows.
    private const long OnTheirWayMax = 6L * AnswerLimit.BytesMax;

    // A row holds its payload as Base64, and other columns: the largest row, and the least that the other columns take.
    private const int RowBytesMax = (Limits.PayloadBytesMax / 3 * 4) + (64 * 1024);
    private const int RowBytesBesidesPayload = 1024;

    // This many rows fit into an answer, whatever their size.
    private const int RowsSure = AnswerLimit.BytesMax / RowBytesMax;

    // A low first guess: where rows are large, the store should not put together a thousand of them in vain.
    private const int RowsFirst = 250;
    private const int GrowthMax = 4;

    // Well below the limit, since rows differ in size.
    private const long AnswerBytes = AnswerLimit.BytesMax * 2 / 3;

    private readonly ByteBudget _onTheirWay = new(OnTheirWayMax);
    private readonly int[] _rows = [.. Enumerable.Repeat(RowsFirst, Limits.PartitionsMax)];

    public async Task<IReadOnlyList<EventEntry>> ReadAsync(int partition, long offset, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, Limits.PageEntriesMax);
        var log = (await layout.GetAsync(cancellationToken)).Log;
        var entries = new List<EventEntry>(Math.Min(limit, 100));
        var bytes = 0L;
        // Each round adds at least one entry, or is the last.
        while (entries.Count < limit && bytes < Limits.PageBytesMax)
        {
            var asked = Math.Min(limit - entries.Count, Volatile.Read(ref _rows[partition]));
            var read = await ReadSomeAsync(partition, offset + entries.Count, asked, log, cancellationToken);
            foreach (var entry in read.Entries)
            {
                // A page holds fewer entries when they are large, so that it fits in memory.
                if (bytes >= Limits.PageBytesMax) break;
                entries.Add(entry);
                bytes += entry.Payload.Length;
            }

            if (read.Entries.Count < read.Asked) break;
        }

        return entries;
    }

    /// <summary>How many rows to ask for next, by the size of those just read. Pure.</summary>
    internal static int RowsAfter(int rows, IReadOnlyList<EventEntry> read)
    {
        if (read.Count == 0) return rows;
        var bytes = read.Sum(entry => (entry.Payload.Length / 3L * 4) + RowBytesBesidesPayload);
        return (int)Math.Clamp(AnswerBytes * read.Count / bytes, 1, Math.Min(Limits.PageEntriesMax, Math.Max(rows, read.Count * GrowthMax)));
    }

    private async Task<(List<EventEntry> Entries, int Asked)> ReadSomeAsync(int partition, long offset, int asked, string log, CancellationToken cancellationToken)
    {
        while (true)
        {
            var reserved = Math.Min((long)asked * RowBytesMax, AnswerLimit.BytesMax);
            using var share = await _onTheirWay.TakeAsync(reserved, cancellationToken);
            // Cancellation frees the bytes even if the call never returns: nobody waits for it then.
            using var late = cancellationToken.UnsafeRegister(static share => ((IDisposable)share!).Dispose(), share);
            try
            {
                var entries = await QueryAsync(partition, offset, asked, log, cancellationToken);
                Volatile.Write(ref _rows[partition], RowsAfter(_rows[partition], entries));
                return (entries, asked);
            }
            catch (StoreUnavailableException e) when (AnswerLimit.IsCause(e) && asked > RowsSure)
            {
                // Large entries follow small ones, so the estimate was too high.
                Volatile.Write(ref _rows[partition], RowsSure);
                asked = RowsSure;
            }
        }
    }

    private async Task<List<EventEntry>> QueryAsync(int partition, long offset, int rows, string log, CancellationToken cancellationToken)
    {
        // The sum must not overflow near the last possible offset.
        var end = offset > long.MaxValue - rows ? long.MaxValue : offset + rows;
        var entries = new List<EventEntry>(Math.Min(rows, 100));
        var bytes = 0L;
        await foreach (var row in calls.RowsAsync(Keys.Partition(partition), Keys.Event(offset), Keys.Event(end), rows, null, cancellationToken))
        {
            EventEntry entry;
            try
            {
                entry = EventRow.Read(row, log);
            }
            catch (DamagedRowException) when (entries.Count > 0)
            {
                // The entries before the damaged row can still be read.
                break;
            }

            // Offsets are dense. A hole is a row that is not visible yet, or was trimmed between two pages: nobody reads past it.
            if (entry.Offset != offset + entries.Count) break;
            entries.Add(entry);
            // The store may answer in several pages, each below the limit.
            if ((bytes += entry.Payload.Length) >= Limits.PageBytesMax) break;
        }

        return entries;
    }
}

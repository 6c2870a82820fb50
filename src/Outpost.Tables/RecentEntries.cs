namespace Outpost.Tables;

/// <summary>
/// The entries that this process committed last in one partition: contiguous by offset, and bounded. Forwarders and readers get
/// them without a request. Offsets are dense and entries never change, so what is found here is always right.
/// </summary>
internal sealed class RecentEntries(int entriesMax)
{
    private readonly Lock _lock = new();
    private readonly Queue<EventEntry> _entries = new();
    private long _first;
    private long _bytes;

    /// <summary>How many bytes are kept. The next commit drops the oldest entries above this limit.</summary>
    public required long BytesMax { get; set; }

    /// <summary>Adds a commit's entries, in order. If somebody else committed in between, drops all earlier entries.</summary>
    public void Add(IReadOnlyList<EventEntry> entries)
    {
        lock (_lock)
        {
            foreach (var entry in entries)
            {
                if (entry.Offset != _first + _entries.Count)
                {
                    _entries.Clear();
                    (_first, _bytes) = (entry.Offset, 0);
                }

                _entries.Enqueue(entry);
                _bytes += SizeOf(entry);
                while (_entries.Count > entriesMax || _bytes > BytesMax)
                {
                    _bytes -= SizeOf(_entries.Dequeue());
                    _first++;
                }
            }
        }
    }

    /// <summary>
    /// At most <paramref name="limit"/> entries from an offset on, without holes. Null if the first is not here, or is older than
    /// <paramref name="notBefore"/>: in a quiet log, the last entries would stay here for days and outlive retention.
    /// </summary>
    public IReadOnlyList<EventEntry>? From(long offset, int limit, DateTimeOffset notBefore)
    {
        lock (_lock)
        {
            if (offset < _first || offset >= _first + _entries.Count) return null;
            var entries = _entries.Skip((int)(offset - _first)).Take(limit).ToList();
            return entries[0].Timestamp >= notBefore ? entries : null;
        }
    }

    private static long SizeOf(EventEntry entry) => entry.Payload.Length + 512;
}

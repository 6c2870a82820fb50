using System.Buffers;
using System.Text.Json;

namespace Outpost.AspNetCore;

/// <summary>Entries for one answer, already written as JSON.</summary>
/// <param name="Json">A JSON array, at most <see cref="Limits.PageBytesMax"/> unless one entry alone is larger.</param>
/// <param name="Count">Entries in it.</param>
/// <param name="Next">What to ask for next.</param>
/// <param name="IsFull">It ended at a bound, not for want of entries: it would be the same at any later time.</param>
/// <param name="Since">Time of the first entry it looked at; null: it looked at none.</param>
internal sealed record EventPage(ReadOnlyMemory<byte> Json, int Count, long Next, bool IsFull, DateTimeOffset? Since)
{
    /// <summary>Nothing at an offset.</summary>
    public static EventPage EmptyAt(long offset) => new("[]"u8.ToArray(), 0, offset, IsFull: false, Since: null);

    /// <summary>
    /// Collects entries into a page. Entries of other types than those asked for are passed over; what was passed
    /// over counts as read, and ends the page when it is much.
    /// </summary>
    internal sealed class Builder(PageFormat format, long offset, int limit, IReadOnlySet<string>? types) : IDisposable
    {
        // With a filter: how much of the log one answer looks at. Counted by entry, so that all who ask the same look
        // as far, however their entries came.
        private const int FilteredEntriesMax = 5_000;
        private const int FilteredBytesMax = 64 * 1024 * 1024;

        private readonly ArrayBufferWriter<byte> _page = new(16 * 1024);
        private readonly ArrayBufferWriter<byte> _entry = new(4 * 1024);
        private readonly Utf8JsonWriter _json = new(Stream.Null);
        private DateTimeOffset? _since;
        private int _looked;
        private long _lookedBytes;

        public int Count { get; private set; }

        public long Next { get; private set; } = offset;

        public bool IsFull { get; private set; }

        public void Add(IReadOnlyList<EventEntry> entries)
        {
            foreach (var entry in entries)
            {
                if (IsFull) return;
                _since ??= entry.Timestamp;
                if (types is null || types.Contains(entry.Type))
                {
                    if (!TryAppend(entry)) return;
                    IsFull = Count == limit;
                }

                Next = entry.Offset + 1;
                _looked++;
                _lookedBytes += entry.Payload.Length;
                IsFull |= types is not null && (_looked == FilteredEntriesMax || _lookedBytes >= FilteredBytesMax);
            }
        }

        public EventPage Build()
        {
            _page.Write(Count == 0 ? "[]"u8 : "]"u8);
            // Exactly as large as it is: it may be kept.
            return new EventPage(_page.WrittenSpan.ToArray(), Count, Next, IsFull, _since);
        }

        public void Dispose() => _json.Dispose();

        private bool TryAppend(EventEntry entry)
        {
            _entry.ResetWrittenCount();
            _json.Reset(_entry);
            format.Write(_json, entry);
            _json.Flush();
            if (Count > 0 && _page.WrittenCount + _entry.WrittenCount + 2 > Limits.PageBytesMax)
            {
                IsFull = true;
                return false;
            }

            _page.Write(Count == 0 ? "["u8 : ","u8);
            _page.Write(_entry.WrittenSpan);
            Count++;
            return true;
        }
    }
}

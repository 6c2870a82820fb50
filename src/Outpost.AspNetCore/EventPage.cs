using System.Buffers;
using System.Text.Json;

namespace Outpost.AspNetCore;

/// <summary>Entries for one answer, already written as JSON.</summary>
/// <param name="Json">A JSON array, at most <see cref="Limits.PageBytesMax"/> unless one entry alone is larger.</param>
/// <param name="Count">How many entries it holds.</param>
/// <param name="Next">The offset to ask for next.</param>
/// <param name="IsFull">
/// Whether it ended at a bound rather than at the last entry. Then it would be the same at any later time.
/// </param>
/// <param name="Since">Time of the first entry that was looked at; null: none was.</param>
internal sealed record EventPage(ReadOnlyMemory<byte> Json, int Count, long Next, bool IsFull, DateTimeOffset? Since)
{
    /// <summary>A page without entries, at an offset.</summary>
    public static EventPage EmptyAt(long offset) => new("[]"u8.ToArray(), 0, offset, IsFull: false, Since: null);

    /// <summary>
    /// Collects entries into a page. Entries of types that were not asked for are passed over. What is passed over
    /// counts as read, and much of it ends the page.
    /// </summary>
    internal sealed class Builder(PageFormat format, long offset, int limit, IReadOnlySet<string>? types) : IDisposable
    {
        // How much of the log one answer with a filter looks at. The bounds count entries, so all who ask the same look
        // equally far, however their entries were read.
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
            // The copy has exactly the size of the page, because it may be kept.
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

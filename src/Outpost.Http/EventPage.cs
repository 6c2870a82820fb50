using System.Buffers;
using System.Text.Json;

namespace Outpost.Http;

/// <summary>Entries for one answer, already written as JSON.</summary>
/// <param name="Json">A JSON array, at most <see cref="Limits.PageBytesMax"/> unless one entry alone is larger.</param>
/// <param name="Count">Entries in it.</param>
/// <param name="Next">What to ask for next.</param>
/// <param name="IsFull">It ended at a bound, not for want of entries: it would be the same at any later time.</param>
internal sealed record EventPage(ReadOnlyMemory<byte> Json, int Count, long Next, bool IsFull)
{
    /// <summary>
    /// Collects entries into a page. Entries of other types than those asked for are passed over; what was passed
    /// over counts as read.
    /// </summary>
    internal sealed class Builder(PageFormat format, long offset, int limit, IReadOnlySet<string>? types) : IDisposable
    {
        private readonly ArrayBufferWriter<byte> _page = new(16 * 1024);
        private readonly ArrayBufferWriter<byte> _entry = new(4 * 1024);
        private readonly Utf8JsonWriter _json = new(Stream.Null);

        public int Count { get; private set; }

        public long Next { get; private set; } = offset;

        public bool IsFull { get; private set; }

        public void Add(IReadOnlyList<EventEntry> entries)
        {
            foreach (var entry in entries)
            {
                if (IsFull) return;
                if (types is null || types.Contains(entry.Type))
                {
                    if (!TryAppend(entry)) return;
                    IsFull = Count == limit;
                }

                Next = entry.Offset + 1;
            }
        }

        public EventPage Build(bool lookedEnough = false)
        {
            _page.Write(Count == 0 ? "[]"u8 : "]"u8);
            return new EventPage(_page.WrittenMemory, Count, Next, IsFull || lookedEnough);
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

using System.Globalization;
using System.Text;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// Stores states and payloads in a row's properties. Short text is one string, which people can read in any table browser.
/// Everything else is in up to 15 binary properties <c>{name}00</c> to <c>{name}14</c> of 64 KiB each, and <c>{name}Bytes</c> holds
/// their total length in bytes.
/// </summary>
internal static class PayloadColumns
{
    // A string property holds at most 64 KiB of UTF-16.
    private const int TextCharactersMax = 32 * 1024;
    private const int ChunkBytes = 64 * 1024;
    private const string Bytes = "Bytes";
    private const int ChunksMax = Limits.PayloadBytesMax / ChunkBytes;

    /// <summary>
    /// The text of a payload that may be stored as one; null: it is none, or too long by any count of its characters, which have at
    /// most three bytes each.
    /// </summary>
    public static string? Text(string contentType, ReadOnlyMemory<byte> payload) =>
        payload.Length <= 3 * TextCharactersMax ? MediaType.TextOrNull(contentType, payload.Span) : null;

    public static void Write(TableEntity row, string name, ReadOnlyMemory<byte> payload, string? text)
    {
        // An empty payload is stored too, so that a reader can tell it from a missing one.
        if (payload.IsEmpty || text is { Length: <= TextCharactersMax })
        {
            row[name] = text ?? "";
            return;
        }

        for (int chunk = 0, start = 0; start < payload.Length; chunk++, start += ChunkBytes)
            row[ChunkName(name, chunk)] = payload.Slice(start, Math.Min(ChunkBytes, payload.Length - start)).ToArray();
        row[name + Bytes] = (long)payload.Length;
    }

    public static byte[] Read(TableEntity row, string name, bool isText)
    {
        if (row.TextOrNull(name) is { } text) return Encoding.UTF8.GetBytes(text);
        var chunks = new List<byte[]>();
        for (var chunk = 0; chunk < ChunksMax && row.BytesOrNull(ChunkName(name, chunk)) is { } part; chunk++) chunks.Add(part);
        var length = chunks.Sum(chunk => (long)chunk.Length);
        // Earlier versions stored no length, and no property for an empty payload.
        var isWhole = row.WholeOrNull(name + Bytes) is { } bytes ? bytes == length : chunks.Count > 0 || !isText;
        if (!isWhole) throw Fields.Missing(row, chunks.Count == 0 ? name : ChunkName(name, chunks.Count));
        if (chunks.Count == 1) return chunks[0];
        var payload = new byte[length];
        var start = 0;
        foreach (var chunk in chunks)
        {
            chunk.CopyTo(payload, start);
            start += chunk.Length;
        }

        return payload;
    }

    private static string ChunkName(string name, int chunk) => string.Create(CultureInfo.InvariantCulture, $"{name}{chunk:D2}");
}

using System.Globalization;
using System.Text;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// State, payloads and answers in a row's properties: short text as one string that people can read in any table
/// browser; everything else as up to 15 binary properties <c>{name}00</c> to <c>{name}14</c> of 64 KiB, and <c>{name}Bytes</c> says
/// how many bytes they have together.
/// </summary>
internal static class PayloadColumns
{
    // A string property holds 64 KiB of UTF-16.
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
        // An empty one too: whoever reads can tell it from one that is missing.
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
        // Earlier versions did not say how many bytes there are, and left out what is empty.
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

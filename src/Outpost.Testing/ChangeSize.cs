using System.Text;

namespace Outpost.Testing;

/// <summary>How much of a key and of a transaction a change takes when it is stored in a table.</summary>
internal static class ChangeSize
{
    // An upper bound for the keys, names, types and headers of a row.
    private const int RowBytes = 4096;

    // Longer text is stored as bytes.
    private const int TextCharactersMax = 32 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>An entity's key, if a table can store it.</summary>
    /// <exception cref="TooLargeException">The key is longer than a table allows.</exception>
    /// <exception cref="ArgumentException">The key is not valid Unicode.</exception>
    public static (string Type, string Id) CheckedKey(string type, string id)
    {
        ChangeLimits.CheckKey(id, Encoded(type) + Encoded(id));
        return (type, id);
    }

    /// <summary>A rough upper bound for the bytes that a change takes on the wire.</summary>
    public static long Of(Change change)
    {
        long state = RowBytes + Of(MediaType.Json, change.State);
        return (change.Idempotency is null ? state : 2 * state)
            + change.Events.Sum(@event => RowBytes + Of(@event.ContentType, @event.Payload));
    }

    private static long Of(string contentType, ReadOnlyMemory<byte> payload) =>
        MediaType.TextOrNull(contentType, payload.Span) is { Length: <= TextCharactersMax } text
            ? text.Sum(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or ',' or ':' or '-' or '_' ? 1L : 6)
            : 4L * ((payload.Length + 2) / 3);

    private static int Encoded(string text) =>
        StrictUtf8.GetBytes(text).Sum(b => char.IsAsciiLetterOrDigit((char)b) || b is (byte)'.' or (byte)'_' or (byte)'~' or (byte)'-' ? 1 : 3);
}

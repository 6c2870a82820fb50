using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>An upper bound for the bytes that a row takes in a transaction's body.</summary>
internal static class WireSize
{
    // In bytes. A row has part headers with its URL (keys up to 1 KiB, escaped). A property has a name, a type annotation and quotes.
    private const int RowOverhead = 2048;
    private const int PropertyOverhead = 96;

    public static long Of(TableEntity row)
    {
        long bytes = RowOverhead;
        foreach (var (_, value) in row)
        {
            bytes += PropertyOverhead + value switch
            {
                string text => Of(text),
                byte[] binary => 4L * ((binary.Length + 2) / 3),
                _ => 32,
            };
        }

        return bytes;
    }

    // JSON writers may turn any character but plain ASCII into a six-byte escape.
    private static long Of(string text)
    {
        long bytes = 0;
        foreach (var c in text) bytes += char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or ',' or ':' or '-' or '_' ? 1 : 6;
        return bytes;
    }
}

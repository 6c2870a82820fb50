using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>How many bytes a row takes in a transaction's body, from above.</summary>
internal static class WireSize
{
    // Part headers with the row's URL (keys up to 1 KiB, escaped), and per property its name, type annotation and quotes.
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

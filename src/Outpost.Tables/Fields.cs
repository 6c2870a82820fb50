using System.Globalization;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// Reads properties of stored rows. Some tools change types when they copy a table, so a value of another type is accepted if it
/// loses nothing: a whole number as text, as a 32-bit integer or as a double; a time or bytes as text. Anything else is damage.
/// </summary>
internal static class Fields
{
    // From 2^53 on, a double cannot tell neighbouring whole numbers apart.
    private const double ExactMax = 9_007_199_254_740_992;

    public static long Whole(this TableEntity row, string name, long max = long.MaxValue) =>
        row.WholeOrNull(name, max) ?? throw Missing(row, name);

    public static long? WholeOrNull(this TableEntity row, string name, long max = long.MaxValue)
    {
        long? number = Value(row, name) switch
        {
            null => null,
            long whole => whole,
            int whole => whole,
            double fraction when Math.Abs(fraction) < ExactMax && fraction == Math.Floor(fraction) => (long)fraction,
            string text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
            var other => throw Damage(row, name, other, "a whole number"),
        };
        return number is < 0 || number > max ? throw Damage(row, name, number, $"from 0 to {max}") : number;
    }

    public static string Text(this TableEntity row, string name) => row.TextOrNull(name) switch
    {
        null => throw Missing(row, name),
        "" => throw Damage(row, name, "", "some text"),
        var text => text,
    };

    public static string? TextOrNull(this TableEntity row, string name) => Value(row, name) switch
    {
        null => null,
        string text => text,
        var other => throw Damage(row, name, other, "text"),
    };

    public static DateTimeOffset Time(this TableEntity row, string name) => row.TimeOrNull(name) ?? throw Missing(row, name);

    public static DateTimeOffset? TimeOrNull(this TableEntity row, string name) => Value(row, name) switch
    {
        null => null,
        DateTimeOffset time => time,
        DateTime time => time,
        string text when DateTimeOffset.TryParseExact(
            text, ["O", "yyyy-MM-ddTHH:mm:ssZ", "yyyy-MM-ddTHH:mm:ss.FFFFFFFZ"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => time,
        var other => throw Damage(row, name, other, "a time"),
    };

    /// <summary>A boolean; false if the property is missing and not needed.</summary>
    public static bool Flag(this TableEntity row, string name, bool isNeeded = false) => Value(row, name) switch
    {
        null => isNeeded ? throw Missing(row, name) : false,
        bool flag => flag,
        string text when bool.TryParse(text, out var flag) => flag,
        var other => throw Damage(row, name, other, "true or false"),
    };

    public static byte[]? BytesOrNull(this TableEntity row, string name)
    {
        switch (Value(row, name))
        {
            case null: return null;
            case byte[] bytes: return bytes;
            case BinaryData bytes: return bytes.ToArray();
            case string text:
                var decoded = new byte[text.Length];
                if (Convert.TryFromBase64String(text, decoded, out var length)) return decoded[..length];
                break;
        }

        throw Damage(row, name, Value(row, name), "bytes");
    }

    public static DamagedRowException Missing(TableEntity row, string name) => new(row.PartitionKey, row.RowKey, name, "is missing");

    /// <summary>The fault of a value that is not <paramref name="allowed"/> in its property.</summary>
    public static DamagedRowException Damage(TableEntity row, string name, object? value, string allowed) => new(
        row.PartitionKey, row.RowKey, name, $"is {value?.GetType().Name} '{Short(value)}', and should be {allowed}");

    private static object? Value(TableEntity row, string name) => row.TryGetValue(name, out var value) ? value : null;

    private static string Short(object? value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.Length <= 40 ? text : $"{text[..40]}…";
    }
}

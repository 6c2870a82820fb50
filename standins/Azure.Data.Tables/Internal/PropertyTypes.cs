using System.Globalization;

namespace Azure.Data.Tables.Internal;

/// <summary>The service's property types and what they are in .NET.</summary>
internal static class PropertyTypes
{
    public const string Binary = "Edm.Binary";
    public const string DateTime = "Edm.DateTime";
    public const string Double = "Edm.Double";
    public const string Guid = "Edm.Guid";
    public const string Int64 = "Edm.Int64";

    /// <summary>The value to keep where <paramref name="old"/> was.</summary>
    public static object Fit(object old, object value) => (old, value) switch
    {
        (double, int number) => (double)number,
        (long, int number) => (long)number,
        (string, System.DateTime or DateTimeOffset) => value.ToString()!,
        _ => value,
    };

    /// <summary>A value read as text or number, as its annotation says it was meant.</summary>
    public static object? Typed(object? raw, string type) => raw switch
    {
        null => null,
        string text => type switch
        {
            Binary => Convert.FromBase64String(text),
            DateTime => Time(text),
            Double => double.Parse(text, CultureInfo.InvariantCulture),
            Guid => System.Guid.Parse(text),
            Int64 => long.Parse(text, CultureInfo.InvariantCulture),
            _ => text,
        },
        int number when type == Int64 => (long)number,
        int number when type == Double => (double)number,
        long number when type == Double => (double)number,
        _ => raw,
    };

    public static DateTimeOffset Time(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}

using System.Globalization;
using System.Text;
using System.Xml;

namespace Azure.Data.Tables.Internal;

/// <summary>Values inside OData filters and keys.</summary>
internal static class OdataFilter
{
    /// <summary>Quotes and escapes the values of an interpolated string; the text around them is left as is.</summary>
    public static string? Create(FormattableString? filter)
    {
        if (filter is null)
            return null;
        var literals = new object[filter.ArgumentCount];
        for (var i = 0; i < literals.Length; i++)
            literals[i] = Literal(filter.GetArgument(i), i);
        return string.Format(CultureInfo.InvariantCulture, filter.Format, literals);
    }

    public static string Quoted(string text) => text.Replace("'", "''", StringComparison.Ordinal);

    private static string Literal(object? value, int position) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        long or ulong => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture) + "L",
        sbyte or byte or short or ushort or int or uint or decimal or float or double =>
            ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        Guid id => $"guid'{id}'",
        byte[] bytes => $"X'{Convert.ToHexString(bytes)}'",
        BinaryData bytes => $"X'{Convert.ToHexString(bytes.ToMemory().Span)}'",
        DateTimeOffset time => Time(time.UtcDateTime),
        DateTime time => Time(time.ToUniversalTime()),
        string or char or StringBuilder => $"'{Quoted(value.ToString()!)}'",
        _ => throw new ArgumentException(
            $"Unable to convert argument {position} from type {value.GetType()} to an OData literal."),
    };

    private static string Time(DateTime utc) =>
        $"datetime'{XmlConvert.ToString(utc, XmlDateTimeSerializationMode.RoundtripKind)}'";
}

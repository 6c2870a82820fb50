using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;

namespace Azure.Data.Tables.Internal;

/// <summary>
/// Entity to JSON, on one line. Traps kept: null values are left out, ETag and Timestamp are never sent, and the
/// default JSON encoder is used: each quote, each of <c>&lt; &gt; &amp; ' +</c> and each UTF-16 unit beyond ASCII
/// costs six bytes of the transaction's 4 MiB. An infinite double is refused.
/// </summary>
internal static class EntityWriter
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    public static void Write(Utf8JsonWriter json, ITableEntity entity)
    {
        json.WriteStartObject();
        switch (entity)
        {
            case TableEntity row:
                foreach (var (name, value) in row.Values)
                    WriteUnlessSystem(json, name, value);
                break;
            case IDictionary<string, object> values:
                foreach (var (name, value) in values)
                    WriteUnlessSystem(json, name, value);
                break;
            default:
                foreach (var property in PocoType.Of(entity.GetType()).Readable)
                    WriteProperty(json, property.Name, property.Get(entity));
                break;
        }
        json.WriteEndObject();
    }

    private static void WriteUnlessSystem(Utf8JsonWriter json, string name, object? value)
    {
        if (value is Enum)
        {
            throw new NotSupportedException(
                "Enum values are only supported for custom model types implementing ITableEntity.");
        }
        if (name is not (PropertyNames.ETag or PropertyNames.Timestamp))
            WriteProperty(json, name, value);
    }

    private static void WriteProperty(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case null:
                break;
            case string text:
                json.WriteString(name, text);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case int number:
                json.WriteNumber(name, number);
                break;
            case long number:
                WriteInt64(json, name, number);
                WriteType(json, name, PropertyTypes.Int64);
                break;
            case ulong number:
                json.WriteString(name, number.ToString(CultureInfo.InvariantCulture));
                WriteType(json, name, PropertyTypes.Int64);
                break;
            case double.NaN:
                json.WriteString(name, "NaN");
                WriteType(json, name, PropertyTypes.Double);
                break;
            case double number:
                json.WriteNumber(name, number);
                WriteType(json, name, PropertyTypes.Double);
                break;
            case float number:
                json.WriteNumber(name, number);
                break;
            case byte[] bytes:
                json.WriteBase64String(name, bytes);
                WriteType(json, name, PropertyTypes.Binary);
                break;
            case BinaryData bytes:
                json.WriteBase64String(name, bytes.ToMemory().Span);
                WriteType(json, name, PropertyTypes.Binary);
                break;
            case Guid id:
                json.WriteString(name, id);
                WriteType(json, name, PropertyTypes.Guid);
                break;
            case DateTimeOffset time:
                WriteTime(json, name, time.UtcDateTime);
                WriteType(json, name, PropertyTypes.DateTime);
                break;
            case DateTime { Kind: DateTimeKind.Utc } time:
                WriteTime(json, name, time);
                WriteType(json, name, PropertyTypes.DateTime);
                break;
            case DateTime time:
                throw new NotSupportedException(
                    $"DateTime {time} has a Kind of {time.Kind}. Azure SDK requires it to be UTC. " +
                    "You can call DateTime.SpecifyKind to change Kind property value to DateTimeKind.Utc.");
            case Enum name_:
                json.WriteString(name, name_.ToString());
                break;
            default:
                throw new NotSupportedException("Not supported type " + value.GetType());
        }
    }

    private static void WriteType(Utf8JsonWriter json, string name, string type)
    {
        Span<char> annotation = stackalloc char[256 + PropertyNames.TypeSuffix.Length];
        var length = name.Length + PropertyNames.TypeSuffix.Length;
        if (length > annotation.Length)
            annotation = new char[length];
        name.CopyTo(annotation);
        PropertyNames.TypeSuffix.CopyTo(annotation[name.Length..]);
        json.WriteString(annotation[..length], type);
    }

    private static void WriteInt64(Utf8JsonWriter json, string name, long number)
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, text, out var length);
        json.WritePropertyName(name);
        json.WriteStringValue(text[..length]);
    }

    private static void WriteTime(Utf8JsonWriter json, string name, DateTime utc)
    {
        Span<byte> text = stackalloc byte[28];
        ((IUtf8SpanFormattable)utc).TryFormat(text, out var length, TimeFormat, CultureInfo.InvariantCulture);
        json.WritePropertyName(name);
        json.WriteStringValue(text[..length]);
    }
}

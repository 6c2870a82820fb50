using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>The first line of a backup.</summary>
/// <param name="Outpost">Always <c>backup</c>.</param>
/// <param name="Version">Version of the format: 1.</param>
/// <param name="Log">Id of the log that was copied.</param>
/// <param name="Table">Table that the log was in.</param>
/// <param name="At">When the copy began, by this machine's clock.</param>
internal sealed record BackupHeader(string Outpost, int Version, string Log, string Table, DateTimeOffset At);

/// <summary>The line after the rows.</summary>
/// <param name="End">Always true.</param>
/// <param name="Rows">Lines between the first and this one.</param>
/// <param name="Partitions">What the backup holds of each partition.</param>
internal sealed record BackupEnd(bool End, long Rows, IReadOnlyList<BackupPartition> Partitions);

/// <summary>The last line. A file without this line, or with a wrong checksum in it, is not a backup.</summary>
/// <param name="Sha256">SHA-256 of all bytes before this line, in lower-case hex.</param>
internal sealed record BackupChecksum(string Sha256);

/// <summary>A partition in a backup.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Oldest">Offset of the oldest entry.</param>
/// <param name="Head">The first offset that the backup does not hold.</param>
/// <param name="Missing">How many entries between the two the table did not hold.</param>
internal sealed record BackupPartition(int Partition, long Oldest, long Head, long Missing);

/// <summary>A backup cannot be written, read or restored. The message says why.</summary>
internal sealed class BackupException(string message) : Exception(message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BackupHeader))]
[JsonSerializable(typeof(BackupEnd))]
[JsonSerializable(typeof(BackupChecksum))]
internal sealed partial class BackupJson : JsonSerializerContext;

/// <summary>
/// A row as one line of JSON: <c>{"p":partition key,"k":row key,"v":{name:value}}</c>. Text and booleans are JSON values. A value
/// of any other type is an object with one member, whose name gives the type: <c>l</c> for a 64-bit integer, <c>i</c> for a 32-bit
/// one, <c>d</c> for a floating-point number, <c>t</c> for a time, <c>b</c> for bytes in Base64, <c>g</c> for a GUID.
/// </summary>
internal static class BackupRow
{
    private static readonly HashSet<string> Own = ["PartitionKey", "RowKey", "Timestamp", "odata.etag"];

    public static void Write(Utf8JsonWriter json, TableEntity row)
    {
        json.WriteStartObject();
        json.WriteString("p", row.PartitionKey);
        json.WriteString("k", row.RowKey);
        json.WriteStartObject("v");
        foreach (var (name, value) in row.Where(one => !Own.Contains(one.Key) && one.Value is not null))
        {
            json.WritePropertyName(name);
            WriteValue(json, row, name, value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static TableEntity Read(ReadOnlySpan<byte> line)
    {
        using var json = JsonDocument.Parse(line.ToArray());
        var row = new TableEntity(Text(json.RootElement, "p"), Text(json.RootElement, "k"));
        foreach (var property in json.RootElement.GetProperty("v").EnumerateObject()) row[property.Name] = ReadValue(property.Value);
        return row;
    }

    private static string Text(JsonElement at, string name) => at.GetProperty(name).GetString()!;

    private static void WriteValue(Utf8JsonWriter json, TableEntity row, string name, object value)
    {
        switch (value)
        {
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case long number: Typed("l", number.ToString(CultureInfo.InvariantCulture)); break;
            case int number: Typed("i", number.ToString(CultureInfo.InvariantCulture)); break;
            case double number: Typed("d", number.ToString("R", CultureInfo.InvariantCulture)); break;
            case DateTimeOffset time: Typed("t", time.ToString("O", CultureInfo.InvariantCulture)); break;
            case DateTime time: Typed("t", new DateTimeOffset(time.ToUniversalTime()).ToString("O", CultureInfo.InvariantCulture)); break;
            case byte[] bytes: Typed("b", Convert.ToBase64String(bytes)); break;
            case BinaryData bytes: Typed("b", Convert.ToBase64String(bytes.ToMemory().Span)); break;
            case Guid guid: Typed("g", guid.ToString()); break;
            default: throw new DamagedRowException(row.PartitionKey, row.RowKey, name, $"is a {value.GetType().Name}, which no table holds");
        }

        void Typed(string type, string text)
        {
            json.WriteStartObject();
            json.WriteString(type, text);
            json.WriteEndObject();
        }
    }

    private static object ReadValue(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String: return value.GetString()!;
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
        }

        var typed = value.EnumerateObject().Single();
        var text = typed.Value.GetString()!;
        return typed.Name switch
        {
            "l" => long.Parse(text, CultureInfo.InvariantCulture),
            "i" => int.Parse(text, CultureInfo.InvariantCulture),
            "d" => double.Parse(text, CultureInfo.InvariantCulture),
            "t" => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind),
            "b" => Convert.FromBase64String(text),
            "g" => Guid.Parse(text),
            var other => throw new BackupException($"A value has the type '{other}', which this version does not know."),
        };
    }
}

using System.Buffers;
using System.Text;
using System.Text.Json;
using Azure.Data.Tables;

namespace Outpost.Tests.Testing;

/// <summary>
/// What Azure Table Storage refuses, which Azurite partly lets pass. Where the documents leave room, the stricter reading.
/// </summary>
internal static class RowRules
{
    public const int TransactionRows = 100;
    private const long TransactionBytes = 4 * 1024 * 1024;

    // 1 KiB of UTF-16.
    private const int KeyCharacters = 512;
    private const int PropertyBytes = 64 * 1024;
    private const int Properties = 252;
    private const int EntityBytes = 1024 * 1024;
    private const int NameCharacters = 255;
    private static readonly DateTimeOffset FirstTime = new(1601, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private static readonly SearchValues<char> NameCharacter = Characters(c => char.IsLetterOrDigit(c) || c == '_');

    // '%' is not in the documents and makes trouble in URLs.
    private static readonly SearchValues<char> RefusedInKeys = Characters(c => c is '/' or '\\' or '#' or '?' or '%' || char.IsControl(c));
    private static readonly string[] System = ["PartitionKey", "RowKey", "Timestamp", "odata.etag"];

    /// <summary>The error code with which the service refuses the row; null: it takes it.</summary>
    /// <param name="entity">The row.</param>
    /// <param name="values">Its properties, as <see cref="Values"/> has them.</param>
    public static string? Refuse(ITableEntity entity, Dictionary<string, object> values)
    {
        if (RefuseKey(entity.PartitionKey) is { } partitionKey) return partitionKey;
        if (RefuseKey(entity.RowKey) is { } rowKey) return rowKey;
        if (values.Count > Properties) return "TooManyProperties";
        var bytes = 4L + (2 * (entity.PartitionKey.Length + entity.RowKey.Length));
        foreach (var (name, value) in values)
        {
            if (name.Length > NameCharacters) return "PropertyNameTooLong";
            if (name.AsSpan().ContainsAnyExcept(NameCharacter) || char.IsDigit(name[0])) return "PropertyNameInvalid";
            var size = Size(value);
            if (size > PropertyBytes) return "PropertyValueTooLarge";
            if (value is DateTimeOffset time && time < FirstTime) return "OutOfRangeInput";
            bytes += 8 + (2 * name.Length) + size;
        }

        return bytes > EntityBytes ? "EntityTooLarge" : null;
    }

    /// <summary>The properties as they arrive: without nulls and without what the service sets itself.</summary>
    public static Dictionary<string, object> Values(ITableEntity entity)
    {
        var properties = (IDictionary<string, object>)entity;
        var values = new Dictionary<string, object>(properties.Count, StringComparer.Ordinal);
        foreach (var (name, value) in properties)
        {
            if (value is not null && !System.Contains(name)) values.Add(name, Copy(value));
        }

        return values;
    }

    /// <summary>Whether a transaction's body is larger than the service takes.</summary>
    public static bool IsTooLarge(IReadOnlyList<TableTransactionAction> actions) =>
        // Most are far too small to be worth writing out.
        BodyMax(actions) > TransactionBytes && Body(actions) > TransactionBytes;

    // Every character may become an escape of six.
    private static long BodyMax(IReadOnlyList<TableTransactionAction> actions)
    {
        var bytes = 300L;
        foreach (var action in actions)
        {
            bytes += 500 + (action.Entity.RowKey.Length * 2);
            foreach (var (name, value) in (IDictionary<string, object>)action.Entity)
                bytes += 100 + (2 * name.Length) + (value is string text ? 6L * text.Length : value is byte[] binary ? 2L * binary.Length : 0);
        }

        return bytes;
    }

    // As the client writes it.
    private static long Body(IEnumerable<TableTransactionAction> actions)
    {
        const int PartHeaders = 400;
        var body = new ArrayBufferWriter<byte>();
        var bytes = 300L;
        using var json = new Utf8JsonWriter(body);
        foreach (var action in actions)
        {
            body.ResetWrittenCount();
            json.Reset(body);
            json.WriteStartObject();
            foreach (var (name, value) in (IDictionary<string, object>)action.Entity) Write(json, name, value);
            json.WriteEndObject();
            json.Flush();
            bytes += PartHeaders + body.WrittenCount + (action.Entity.RowKey.Length * 2);
        }

        return bytes;
    }

    private static SearchValues<char> Characters(Func<char, bool> isIn) =>
        SearchValues.Create([.. Enumerable.Range(0, char.MaxValue + 1).Select(code => (char)code).Where(isIn)]);

    private static object Copy(object value) => value is byte[] bytes ? bytes.ToArray() : value;

    private static string? RefuseKey(string key)
    {
        if (key.Length > KeyCharacters) return "KeyValueTooLarge";
        return key.AsSpan().ContainsAny(RefusedInKeys) ? "OutOfRangeInput" : null;
    }

    private static int Size(object value) => value switch
    {
        string text when IsText(text) => 2 * text.Length,
        string => throw new InvalidOperationException("A lone surrogate in a property: the client would send another text."),
        byte[] binary => binary.Length,
        long or int or bool or double or Guid or DateTimeOffset => 16,
        _ => throw new NotSupportedException($"Not supported type {value.GetType()}"),
    };

    private static bool IsText(string text)
    {
        try
        {
            _ = Strict.GetByteCount(text);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    private static void Write(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case string text:
                json.WriteString(name, text);
                break;
            case byte[] binary:
                json.WriteString(name + "@odata.type", "Edm.Binary");
                json.WriteBase64String(name, binary);
                break;
            default:
                json.WriteString(name + "@odata.type", "Edm.DateTime");
                json.WriteString(name, "2026-01-01T00:00:00.0000000Z");
                break;
        }
    }
}

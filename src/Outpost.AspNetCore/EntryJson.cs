using System.Globalization;
using System.Text.Json;

namespace Outpost.AspNetCore;

/// <summary>Writes an entry as JSON, in the API's own form.</summary>
internal static class EntryJson
{
    public static void Write(Utf8JsonWriter json, EventEntry entry)
    {
        json.WriteStartObject();
        json.WriteNumber("partition", entry.Partition);
        json.WriteNumber("offset", entry.Offset);
        json.WriteString("id", entry.Id.ToString());
        json.WriteString("type", entry.Type);
        json.WriteString("contentType", entry.ContentType);
        WritePayload(json, entry, "payload", "payloadBase64");
        json.WriteString("timestamp", Timestamp(entry.Timestamp));
        json.WriteString("subject", entry.Subject);
        json.WriteNumber("version", entry.Version);
        if (entry.TraceParent is { } traceParent) json.WriteString("traceparent", traceParent);
        if (entry.CorrelationId is { } correlationId) json.WriteString("correlationId", correlationId);
        json.WriteEndObject();
    }

    /// <summary>RFC 3339 in UTC with all seven decimal places.</summary>
    public static string Timestamp(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    /// <summary>
    /// Writes a payload: JSON as it is, <c>text/*</c> as a string, and anything else as Base64 under the other name.
    /// </summary>
    public static void WritePayload(Utf8JsonWriter json, EventEntry entry, string name, string base64Name)
    {
        if (MediaType.IsJson(entry.ContentType) && MediaType.IsUtf8(entry.ContentType, entry.Payload.Span))
        {
            // The payload was checked to be JSON when it was recorded.
            json.WritePropertyName(name);
            json.WriteRawValue(entry.Payload.Span, skipInputValidation: true);
        }
        else if (MediaType.TextOrNull(entry.ContentType, entry.Payload.Span) is { } text) json.WriteString(name, text);
        else json.WriteBase64String(base64Name, entry.Payload.Span);
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Outpost.AspNetCore;

/// <summary>How a page of entries is written: its media type, its name in entity tags, and the writer of one entry.</summary>
internal sealed record PageFormat(string ContentType, string Name, Action<Utf8JsonWriter, EventEntry> Write)
{
    private const string CloudEventsBatch = "application/cloudevents-batch+json";

    /// <summary>The API's own form.</summary>
    public static readonly PageFormat Native = new("application/json", "json", EntryJson.Write);

    /// <summary>
    /// A CloudEvents 1.0 batch
    /// (<see href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md"/>). It has the
    /// extensions <c>sequence</c>, <c>partitionkey</c> and <c>traceparent</c>, and the same attributes as on Service
    /// Bus.
    /// </summary>
    /// <param name="source">CloudEvents <c>source</c>.</param>
    public static PageFormat CloudEvents(string source) => new(CloudEventsBatch, $"cloudevents-{Tag(source)}", (json, entry) => WriteCloudEvent(json, entry, source));

    /// <summary>
    /// Whether a request asks for CloudEvents: by name, and at least as much as for JSON, which a wildcard may stand
    /// for. The most specific range that holds a type counts (RFC 9110, 12.5.1).
    /// </summary>
    public static bool IsCloudEventsWanted(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)) return false;
        var wanted = Quality(accepted, CloudEventsBatch) ?? 0;
        return wanted > 0 && wanted >= (Quality(accepted, "application/json") ?? Quality(accepted, "application/*") ?? Quality(accepted, "*/*") ?? 0);
    }

    // Pages of different sources have different bytes, so the source is part of the name.
    private static string Tag(string source) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source))[..4]);

    // Null: the header does not have exactly this range.
    private static double? Quality(IList<MediaTypeHeaderValue> accepted, string range) =>
        accepted.Where(one => one.MediaType.Equals(range, StringComparison.OrdinalIgnoreCase)).Max(one => (double?)(one.Quality ?? 1));

    private static void WriteCloudEvent(Utf8JsonWriter json, EventEntry entry, string source)
    {
        json.WriteStartObject();
        json.WriteString("specversion", "1.0");
        json.WriteString("id", entry.Id.ToString());
        json.WriteString("source", source);
        json.WriteString("type", entry.Type);
        json.WriteString("subject", entry.Subject);
        json.WriteString("time", EntryJson.Timestamp(entry.Timestamp));
        json.WriteString("datacontenttype", entry.ContentType);
        json.WriteString("sequence", entry.Offset.ToString("D19", CultureInfo.InvariantCulture));
        json.WriteString("partitionkey", entry.Partition.ToString("D4", CultureInfo.InvariantCulture));
        if (entry.TraceParent is { } traceParent) json.WriteString("traceparent", traceParent);
        if (entry.CorrelationId is { } correlationId) json.WriteString("correlationid", correlationId);
        EntryJson.WritePayload(json, entry, "data", "data_base64");
        json.WriteEndObject();
    }
}

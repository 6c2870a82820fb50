using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Outpost.Client;

/// <summary>Reads the JSON of the event API. Anything unexpected is an exception; nothing is passed over.</summary>
internal static class FeedJson
{
    // A payload may be as deep as its writer liked. Reading it is not recursive.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1_000 };

    public static LogAnswer Partitions(byte[] body) => Read(body, null, root => new LogAnswer(
        Text(root, "log"),
        root.TryGetProperty("counts", out var counts) ? counts[0].GetInt32() : root.GetProperty("partitions").GetArrayLength(),
        [.. root.GetProperty("partitions").EnumerateArray().Select(item => new PartitionAnswer(
            item.GetProperty("partition").GetInt32(), item.GetProperty("oldestOffset").GetInt64(), item.GetProperty("headOffset").GetInt64()))]));

    /// <summary>
    /// The entries of a page. All follow the asked position, without a hole unless the page is filtered by type.
    /// </summary>
    /// <exception cref="FeedException">An entry is out of place, missing, or of another log.</exception>
    public static IReadOnlyList<FeedEntry> Entries(byte[] body, FeedPosition asked, long next, bool isFiltered)
    {
        var entries = Read(body, asked, root => root.EnumerateArray().Select(Entry).ToList());
        var expected = asked;
        foreach (var entry in entries)
        {
            var position = entry.Position;
            if (position.Log != asked.Log) throw FeedException.OtherLog(asked, position.Log);
            if (position.Partition != asked.Partition || position.Offset < expected.Offset)
                throw Wrong(FeedFailure.InvalidAnswer, $"The entry {position} came where {expected} was due.");
            if (position.Offset > expected.Offset && !isFiltered)
                throw Wrong(FeedFailure.Hole, $"The entry {position} came where {expected} was due.");
            expected = position.Next;
        }

        // A filtered page may end with entries of other types, which only Next-Offset shows.
        if (next < expected.Offset || (next > expected.Offset && !isFiltered))
            throw Wrong(next < expected.Offset ? FeedFailure.InvalidAnswer : FeedFailure.Hole, $"Next-Offset is {next}, where {expected.Offset} comes next.");
        return entries;

        FeedException Wrong(FeedFailure failure, string message) => new(failure, message) { Position = asked };
    }

    /// <summary>Reads a problem detail; all fields are null where the body is none.</summary>
    public static (string? Name, string? Detail, long? Oldest, long? Head) Problem(byte[] body)
    {
        try
        {
            var root = JsonElement.Parse(body);
            return (OptionalText(root, "type")?.Split('/')[^1], OptionalText(root, "detail"), OptionalNumber(root, "oldestOffset"), OptionalNumber(root, "headOffset"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return default;
        }
    }

    private static FeedEntry Entry(JsonElement json)
    {
        var id = Text(json, "id");
        var contentType = Text(json, "contentType");
        if (!FeedPosition.TryParse(id, out var position)
            || json.GetProperty("partition").GetInt32() != position.Partition || json.GetProperty("offset").GetInt64() != position.Offset)
            throw new FormatException($"The id '{id}' does not name the place of its entry.");
        return new FeedEntry
        {
            Position = position,
            Type = Text(json, "type"),
            Subject = Text(json, "subject"),
            Version = json.GetProperty("version").GetInt64(),
            Timestamp = json.GetProperty("timestamp").GetDateTimeOffset(),
            ContentType = contentType,
            PayloadBytes = Payload(json, contentType),
            TraceParent = OptionalText(json, "traceparent"),
            CorrelationId = OptionalText(json, "correlationId"),
        };
    }

    private static byte[] Payload(JsonElement entry, string contentType)
    {
        if (entry.TryGetProperty("payloadBase64", out var binary)) return binary.GetBytesFromBase64();
        var payload = entry.GetProperty("payload");
        var mediaType = contentType.Split(';')[0].Trim();
        var isJson = mediaType.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
        return isJson ? JsonMarshal.GetRawUtf8Value(payload).ToArray() : Encoding.UTF8.GetBytes(payload.GetString() ?? "");
    }

    private static T Read<T>(byte[] body, FeedPosition? position, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Deep);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new FeedException(FeedFailure.InvalidAnswer, $"The answer is not one of the event API: {e.Message}", e) { Position = position };
        }
    }

    private static string Text(JsonElement json, string name) =>
        json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null.");

    private static string? OptionalText(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static long? OptionalNumber(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.GetInt64() : null;
}

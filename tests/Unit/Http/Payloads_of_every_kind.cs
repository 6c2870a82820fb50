using System.Text;
using System.Text.Json;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

/// <summary>What was recorded is what is read, in all three forms (N6).</summary>
public sealed class Payloads_of_every_kind
{
    private static readonly byte[] Binary = [0, 1, 127, 128, 255];

    public static TheoryData<string, string, byte[]> Kinds => new()
    {
        { "an object", "application/json", "{\"a\":[1,{\"b\":null}]}"u8.ToArray() },
        { "an array", "application/json", "[1,2]"u8.ToArray() },
        { "a number beyond what a double holds", "application/json", "12345678901234567890.123456789"u8.ToArray() },
        { "a string", "application/json", "\"text\""u8.ToArray() },
        { "true", "application/json", "true"u8.ToArray() },
        { "null", "application/json", "null"u8.ToArray() },
        { "JSON with white space", "application/json", "{ \"a\" :\n1 }"u8.ToArray() },
        { "JSON of another name", "application/vnd.order+json; charset=utf-8", "{\"a\":1}"u8.ToArray() },
        { "text", "text/plain", "two\r\nlines"u8.ToArray() },
        { "an empty text", "text/plain", [] },
        { "text beyond ASCII", "text/plain; charset=utf-8", Encoding.UTF8.GetBytes("é 🚀 \u2028 \u0000 end") },
        { "text in another charset", "text/plain; charset=iso-8859-1", [0xE9] },
        { "text that is not UTF-8", "text/plain", [0xFF, 0xFE] },
        { "bytes", "application/octet-stream", Binary },
        { "no bytes", "application/octet-stream", [] },
        { "64 KiB less one", "application/octet-stream", new byte[65_535] },
        { "64 KiB", "application/octet-stream", new byte[65_536] },
        { "64 KiB and one", "application/octet-stream", new byte[65_537] },
        { "text of 64 Ki characters", "text/plain", Encoding.UTF8.GetBytes(new string('é', 65_536)) },
        { "as much as is allowed", "application/octet-stream", new byte[Limits.PayloadBytesMax] },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Are_read_as_they_were_recorded(string kind, string contentType, byte[] payload)
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "") with { Decide = _ => new Decision<Tally>.Accepted(new Tally(1, []), [new NewEvent("T", contentType, payload)]) });
        // Read from the table, not from what this process remembers of its own commits.
        log.Time.Advance(TimeSpan.FromMinutes(2));
        using var api = new EventApi(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)));

        var native = (await ReadAsync(api, "application/json"))[0];
        var cloud = (await ReadAsync(api, "application/cloudevents-batch+json"))[0];
        var id = native.GetProperty("id").GetString()!;
        var data = await AnswerAsync(Request($"/api/events/{id}/data"), ask => api.DataAsync(ask, id, CancellationToken.None));

        Assert.True(payload.SequenceEqual(PayloadOf(native, "payload", "payloadBase64")), kind);
        Assert.True(payload.SequenceEqual(PayloadOf(cloud, "data", "data_base64")), kind);
        Assert.True(payload.SequenceEqual(data.Body), kind);
        Assert.Equal((contentType, contentType, contentType), (native.GetProperty("contentType").GetString(), cloud.GetProperty("datacontenttype").GetString(), data["Content-Type"]));
    }

    private static async Task<List<JsonElement>> ReadAsync(EventApi api, string accept) =>
        [.. (await AnswerAsync(Request("/api/events?offset=0", ("Accept", accept)), ask => api.ReadAsync(ask, CancellationToken.None))).Json.EnumerateArray()];

    // Exactly one of both; JSON is the value itself, to the last digit.
    private static byte[] PayloadOf(JsonElement entry, string name, string base64Name)
    {
        Assert.NotEqual(entry.TryGetProperty(name, out var value), entry.TryGetProperty(base64Name, out var base64));
        var contentType = entry.TryGetProperty("contentType", out var native) ? native.GetString()! : entry.GetProperty("datacontenttype").GetString()!;
        return base64.ValueKind != JsonValueKind.Undefined ? base64.GetBytesFromBase64()
            : Encoding.UTF8.GetBytes(MediaType.IsJson(contentType) ? value.GetRawText() : value.GetString()!);
    }
}

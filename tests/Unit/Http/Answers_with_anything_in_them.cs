using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Outpost.AspNetCore;
using Outpost.ServiceBus;
using Outpost.Tests.Unit.Tables;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

/// <summary>Whatever text or bytes somebody records or asks for: what is answered is sound JSON that says the same.</summary>
public sealed class Answers_with_anything_in_them
{
    private static readonly PageFormat CloudEvents = PageFormat.CloudEvents("/outpost");

    [Fact]
    public void Give_any_entry_back_in_both_forms() =>
        Prop.ForAll(Row_keys.AnyText(), Row_keys.AnyText(), (text, name) =>
        {
            var entry = Entry(name, "text/plain", Encoding.UTF8.GetBytes(text));
            var native = Written(PageFormat.Native, entry);
            var batch = Written(CloudEvents, entry);
            return native.GetProperty("payload").GetString() == text && batch.GetProperty("data").GetString() == text
                && native.GetProperty("type").GetString() == name && batch.GetProperty("type").GetString() == name
                && native.GetProperty("subject").GetString() == $"order/{name}" && batch.GetProperty("subject").GetString() == $"order/{name}"
                && native.GetProperty("id").GetString() == batch.GetProperty("id").GetString();
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Give_any_bytes_back_in_both_forms_and_on_the_bus() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            var entry = Entry("Recorded", "application/octet-stream", bytes);
            return Written(PageFormat.Native, entry).GetProperty("payloadBase64").GetBytesFromBase64().SequenceEqual(bytes)
                && Written(CloudEvents, entry).GetProperty("data_base64").GetBytesFromBase64().SequenceEqual(bytes)
                && MessageMapping.ToMessage(entry, "/outpost").Body.ToArray().SequenceEqual(bytes);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Give_any_JSON_back_in_both_forms() =>
        Prop.ForAll(Row_keys.AnyText(), text =>
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(new { text, list = new object?[] { text, null, 1.5, true } });
            var entry = Entry("Recorded", "application/json", json);
            return Written(PageFormat.Native, entry).GetProperty("payload").GetRawText() == Encoding.UTF8.GetString(json)
                && Written(CloudEvents, entry).GetProperty("data").GetRawText() == Encoding.UTF8.GetString(json);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Name_any_bad_value_in_a_problem_that_is_sound_and_short() =>
        Prop.ForAll(Row_keys.AnyText(), Row_keys.AnyText(), (name, value) =>
        {
            var request = Request($"/api/events?{Uri.EscapeDataString($"x{name}")}={Uri.EscapeDataString(value)}&limit={Uri.EscapeDataString($"-{value}")}");
            var (query, problem) = EventQuery.Read(request.Query, partitions: 1);
            if (query is not null || problem is null) return false;
            var answer = AnswerAsync(request, problem).GetAwaiter().GetResult();
            return answer.Status == StatusCodes.Status400BadRequest && answer.ProblemName == "invalid-request" && answer.Detail.Length < 400;
        }).QuickCheckThrowOnFailure();

    private static EventEntry Entry(string name, string contentType, byte[] payload) =>
        new(new EventId("abcdefgh", 3, 41), name, contentType, payload, DateTimeOffset.UnixEpoch, $"order/{name}", 1, null, name);

    private static JsonElement Written(PageFormat format, EventEntry entry)
    {
        using var builder = new EventPage.Builder(format, entry.Offset, limit: 1, types: null);
        builder.Add([entry]);
        return JsonDocument.Parse(builder.Build().Json).RootElement[0];
    }
}

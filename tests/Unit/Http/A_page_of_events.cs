using Microsoft.AspNetCore.Http;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class A_page_of_events
{
    [Fact]
    public void Is_an_empty_array_when_there_is_nothing()
    {
        var page = Page(offset: 5, limit: 10, []);

        Assert.Equal(("[]", 0, 5L, false), (Text(page), page.Count, page.Next, page.IsFull));
    }

    [Fact]
    public void Is_full_at_its_limit()
    {
        var page = Page(offset: 0, limit: 2, [Entry(0), Entry(1), Entry(2)]);

        Assert.Equal((2, 2L, true), (page.Count, page.Next, page.IsFull));
    }

    [Fact]
    public void Ends_before_the_entry_that_would_take_it_over_its_bound_in_bytes()
    {
        // 1,500,000 bytes are 2,000,000 in Base64: two and no more.
        var page = Page(offset: 0, limit: 10, [Entry(0, 1_500_000), Entry(1, 1_500_000), Entry(2, 1_500_000)]);

        Assert.Equal((2, 2L, true), (page.Count, page.Next, page.IsFull));
        Assert.InRange(page.Json.Length, 4_000_000, Limits.PageBytesMax);
    }

    [Fact]
    public void Has_one_entry_however_large_it_is()
    {
        var page = Page(offset: 0, limit: 10, [Entry(0, 4_000_000), Entry(1)]);

        Assert.Equal((1, 1L, true), (page.Count, page.Next, page.IsFull));
    }

    [Fact]
    public void Can_be_exactly_as_large_as_its_bound()
    {
        var overhead = Page(offset: 0, limit: 10, [Entry(0), Entry(1)]).Json.Length;
        var left = (Limits.PageBytesMax - overhead) / 4 * 3;

        Assert.Equal(2, Page(offset: 0, limit: 10, [Entry(0, left), Entry(1)]).Count);
        Assert.Equal(1, Page(offset: 0, limit: 10, [Entry(0, left + 3), Entry(1)]).Count);
    }

    [Fact]
    public void Looks_at_64_MiB_for_a_filter_and_then_ends()
    {
        var megabyte = Entry(0, 1024 * 1024);
        var entries = Enumerable.Range(0, 70).Select(offset => megabyte with { Id = megabyte.Id with { Offset = offset } }).ToList();

        var page = Page(offset: 0, limit: 10, entries, "Other");

        Assert.Equal(("[]", 64L, true), (Text(page), page.Next, page.IsFull));
    }

    [Theory]
    [InlineData(null, 200, "none")]
    [InlineData("\"tag\"", 304, "the tag")]
    [InlineData("W/\"tag\"", 304, "the tag, weak")]
    [InlineData("\"a\", \"tag\"", 304, "a list with it")]
    [InlineData("\"a\",W/\"tag\",\"b\"", 304, "a list with it, weak")]
    [InlineData("*", 304, "any")]
    [InlineData("\"other\"", 200, "another tag")]
    [InlineData("\"tag\"x", 200, "what is no tag")]
    [InlineData("tag", 200, "without quotes")]
    [InlineData("", 200, "empty")]
    [InlineData("\"TAG\"", 200, "in capitals")]
    public async Task Is_not_sent_again_to_whoever_has_it(string? ifNoneMatch, int status, string why)
    {
        var request = ifNoneMatch is null ? Request("/api/events") : Request("/api/events", ("If-None-Match", ifNoneMatch));

        var answer = await AnswerAsync(request, Result());

        Assert.Equal((status, status == 200 ? "[1]" : "", why), (answer.Status, answer.Text, why));
        Assert.Equal(("\"tag\"", "private", "Accept", "5"), (answer["ETag"], answer["Cache-Control"], answer["Vary"], answer["Next-Offset"]));
        Assert.Equal(status == 200 ? "application/json" : null, answer["Content-Type"]);
    }

    [Fact]
    public async Task Is_described_without_its_body_to_HEAD()
    {
        var answer = await AnswerAsync(Request("HEAD", "/api/events", null), Result());

        Assert.Equal((200, "", "3", "\"tag\""), (answer.Status, answer.Text, answer["Content-Length"], answer["ETag"]));
    }

    private static IResult Result() => new PageResult("application/json", "[1]"u8.ToArray(), "\"tag\"", "private", [("Next-Offset", "5")]);

    private static EventPage Page(long offset, int limit, IReadOnlyList<EventEntry> entries, params string[] types)
    {
        using var builder = new EventPage.Builder(PageFormat.Native, offset, limit, types.Length == 0 ? null : types.ToHashSet());
        builder.Add(entries);
        return builder.Build();
    }

    private static string Text(EventPage page) => System.Text.Encoding.UTF8.GetString(page.Json.Span);

    private static EventEntry Entry(long offset, int bytes = 0) => new(
        new EventId("k3v9x2ab", 0, offset), "T", "application/octet-stream", new byte[bytes], DateTimeOffset.UnixEpoch, "t/1", 1, null, null);
}

using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using FsCheck;
using FsCheck.Fluent;
using Outpost.Tables;
using static Outpost.Tests.Unit.Tables.Changes;

namespace Outpost.Tests.Unit.Tables;

/// <summary>What the client really sends is captured on its way out.</summary>
public sealed class Wire_sizes
{
    // A transaction's own lines, around those of its rows.
    private const int Frame = 400;

    public static TheoryData<string> Texts =>
    [
        "", "plain text", "\"\\\"'<>&+`", "\0\u0001\n\r\t\u001F\u007F", "üöä", "日本語", "😀😀😀", "\uFEFF\u2028\uFFFF",
        new string('"', 30_000), new string('ü', 32_000),
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task Of_a_text_are_never_below_what_is_sent(string text) => await Covers(new TableEntity("0000", "e|0") { ["Payload"] = text });

    [Fact]
    public void Of_any_text_are_never_below_what_is_sent() => Prop.ForAll(
        Row_keys.AnyText(),
        text => Covers(new TableEntity("0000", "e|0") { ["Payload"] = text, ["Subject"] = text }).GetAwaiter().GetResult()).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public async Task Of_bytes_are_never_below_what_is_sent(int length)
    {
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);

        await Covers(new TableEntity("0000", "e|0") { ["Payload00"] = bytes });
    }

    [Fact]
    public async Task Of_numbers_and_times_are_never_below_what_is_sent() =>
        await Covers(new TableEntity("0000", "!head") { ["Next"] = long.MinValue, ["Commit"] = null, ["At"] = DateTimeOffset.MaxValue });

    [Fact]
    public async Task Of_whole_changes_are_never_below_what_is_sent()
    {
        var longest = new string('"', Limits.HeaderCharactersMax);
        var change = Of("a", events: 1, key: "k", version: 1) with { TraceParent = longest, CorrelationId = longest };
        var rows = Rows(Head(next: 5), "0123456789abcdef0123456789abcdef", change);

        Assert.True(await SentAsync(rows.Actions) <= Frame + 4096 + rows.Owners[1]!.Bytes);
    }

    // The longest keys there can be, all of whose bytes are escaped in the row's URL, for a row that has an ETag.
    [Fact]
    public async Task Cover_the_longest_keys()
    {
        var row = new TableEntity("0000", Keys.Entity("order", new string('/', 131))) { ["Version"] = 1L };

        await Covers(row, new Azure.ETag("W/\"datetime'2026-11-22T08%3A00%3A00.1234567Z'\""));
    }

    private static async Task Covers(TableEntity row, Azure.ETag? tag = null)
    {
        var action = tag is null
            ? new TableTransactionAction(TableTransactionActionType.Add, row)
            : new TableTransactionAction(TableTransactionActionType.UpdateReplace, row, tag.Value);

        Assert.InRange(await SentAsync([action]), 1, WireSize.Of(row) + Frame);
    }

    private static async Task<long> SentAsync(IEnumerable<TableTransactionAction> actions)
    {
        var capture = new Capture();
        var options = new TableClientOptions { Transport = capture };
        options.Retry.MaxRetries = 0;
        var key = Convert.ToBase64String(Encoding.ASCII.GetBytes("a key"));
        var account = new string('a', 24);
        var table = new TableClient(
            $"DefaultEndpointsProtocol=https;AccountName={account};AccountKey={key};EndpointSuffix=core.windows.net", new string('t', 63), options);

        await Assert.ThrowsAnyAsync<Exception>(() => table.SubmitTransactionAsync(actions));

        return capture.Bytes;
    }

    private sealed class Capture : HttpPipelineTransport
    {
        public long Bytes { get; private set; }

        public override Request CreateRequest() => HttpClientTransport.Shared.CreateRequest();

        public override void Process(HttpMessage message) => throw new NotSupportedException();

        public override async ValueTask ProcessAsync(HttpMessage message)
        {
            using var body = new MemoryStream();
            await message.Request.Content!.WriteToAsync(body, CancellationToken.None);
            Bytes = body.Length;
            throw new IOException("Enough seen.");
        }
    }
}

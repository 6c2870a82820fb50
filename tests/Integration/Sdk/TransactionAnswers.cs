using Azure;
using Azure.Data.Tables;
using static Azure.Data.Tables.TableTransactionActionType;

namespace Outpost.Tests.Integration.Sdk;

/// <summary>Transactions on the wire: what is sent, and answers no working service gives.</summary>
public class TransactionAnswers
{
    private static readonly string Whole =
        Scripted.Body(Scripted.Part("204 No Content", ""), Scripted.Part("204 No Content", ""));

    /// <summary>Body and content type of an answer that must not pass for a success of two actions.</summary>
    public static TheoryData<string, string, string> BadAnswers => new()
    {
        { "nothing at all", "", Scripted.AnswerType },
        { "no content type", Whole, "" },
        { "another content type", Whole, "application/json" },
        { "quoted boundary", Whole, "multipart/mixed; boundary=\"batchresponse_1\"" },
        { "another boundary", Whole, "multipart/mixed; boundary=batchresponse_2" },
        { "no reason phrase", WholeBut(" No Content", ""), Scripted.AnswerType },
        { "no status", WholeBut("204", "two"), Scripted.AnswerType },
        { "no status line", WholeBut("HTTP/1.1 204 No Content\n", ""), Scripted.AnswerType },
        { "no colon in a header", WholeBut("DataServiceVersion:", "DataServiceVersion"), Scripted.AnswerType },
    };

    [Theory]
    [MemberData(nameof(BadAnswers))]
    public async Task A_malformed_answer_is_never_a_success(string what, string body, string contentType)
    {
        var transport = new ScriptedTransport(() => Scripted.Answer(body, contentType));

        var failed = await Record.ExceptionAsync(() => Submit(transport).WaitAsync(TimeSpan.FromSeconds(10)));

        Assert.True(IsUnreadable(failed), $"{what}: {failed}");
        Assert.Single(transport.Log);
    }

    /// <summary>
    /// Trap: the package passes these on as they are, so a caller compares the counts.
    /// </summary>
    [Fact]
    public async Task An_answer_for_other_actions_than_were_sent_can_be_told_from_a_success()
    {
        foreach (var body in new[]
                 {
                     Scripted.Body(),
                     Scripted.Body(Scripted.Part("204 No Content", "")),
                     WholeBut("204 No Content", "500 Internal Server Error"),
                 })
        {
            IReadOnlyList<Response> responses = [];
            var failed = await Record.ExceptionAsync(
                async () => responses = (await Submit(new ScriptedTransport(() => Scripted.Answer(body)))).Value);

            Assert.True(failed is InvalidOperationException || responses.Count(response => response.Status < 300) < 2);
        }
    }

    [Fact]
    public async Task An_answer_cut_off_anywhere_is_never_a_success()
    {
        var whole = Whole.ReplaceLineEndings("\r\n");
        var end = whole.IndexOf("--changesetresponse_1--", StringComparison.Ordinal);
        for (var length = 0; length < end; length++)
        {
            var cut = whole[..length];
            var transport = new ScriptedTransport(() => Scripted.Answer(cut));

            var failed = await Record.ExceptionAsync(() => Submit(transport).WaitAsync(TimeSpan.FromSeconds(10)));

            Assert.True(IsUnreadable(failed), $"cut at {length}: {failed}");
        }
        Assert.Equal(2, (await Submit(new ScriptedTransport(() => Scripted.Answer(whole)))).Value.Count);
    }

    [Fact]
    public async Task Text_around_the_parts_is_accepted()
    {
        var body = $"preamble\n{WholeBut("--batchresponse_1--", "--batchresponse_1--\nepilogue")}";
        var transport = new ScriptedTransport(() => new ScriptedResponse(
            202, body.ReplaceLineEndings("\r\n"), ("Content-Type", "multipart/mixed; boundary=batchresponse_1")));

        var answer = await Submit(transport);

        Assert.Equal([204, 204], answer.Value.Select(response => response.Status));
        Assert.Equal("W/\"datetime'2026-01-01T00%3A00%3A00.0000001Z'\"", answer.Value[1].Headers.ETag?.ToString());
    }

    [Fact]
    public async Task Parts_with_ids_are_put_in_order()
    {
        static string Numbered(int id, string reason) => $"Content-ID: {id}\n" + Scripted.Part("204 " + reason, "");
        var body = Scripted.Body(Numbered(1, "Second"), Numbered(0, "First"));
        var transport = new ScriptedTransport(() => Scripted.Answer(body));

        var answer = await Submit(transport);

        Assert.Equal(["First", "Second"], answer.Value.Select(response => response.ReasonPhrase));
    }

    [Fact]
    public async Task A_refusal_that_is_not_JSON_still_is_one()
    {
        var body = Scripted.Body(Scripted.Part("502 Bad Gateway", "<html>"));
        var transport = new ScriptedTransport(() => Scripted.Answer(body));

        var refused = await Assert.ThrowsAsync<TableTransactionFailedException>(() => Submit(transport));

        Assert.Equal((502, null, null), (refused.Status, refused.ErrorCode, refused.FailedTransactionActionIndex));
    }

    [Fact]
    public async Task A_transaction_is_sent_as_one_change_set_signed_and_each_action_on_its_own_lines()
    {
        var etag = new ETag("W/\"1\"");
        var transport = new ScriptedTransport(() => Scripted.Committed(4));

        await Scripted.Table(transport).SubmitTransactionAsync(
        [
            new(Add, new TableEntity("it's", "é/1") { ["Line"] = "a\nb", ETag = etag }),
            new(UpdateReplace, new TableEntity("it's", "é 2") { ["n"] = 1L }, etag),
            new(UpdateMerge, new TableEntity("it's", "3")),
            new(Delete, new TableEntity("it's", "4")),
        ]);

        var sent = Assert.Single(transport.Log);
        Assert.Equal(("POST", "https://acct.table.example.net/$batch"), (sent.Method, sent.Uri.AbsoluteUri));
        Assert.StartsWith("SharedKeyLite acct:", sent.Headers["Authorization"], StringComparison.Ordinal);
        var boundary = sent.Headers["Content-Type"]["multipart/mixed; boundary=".Length..];
        Assert.StartsWith("batch_", boundary, StringComparison.Ordinal);
        var lines = sent.Body.Split("\r\n");
        Assert.Equal(("--" + boundary, "--" + boundary + "--", ""), (lines[0], lines[^2], lines[^1]));
        Assert.StartsWith("Content-Type: multipart/mixed; boundary=changeset_", lines[1], StringComparison.Ordinal);
        const string Things = "https://acct.table.example.net/things";
        const string Format = "?$format=application%2Fjson%3Bodata%3Dminimalmetadata HTTP/1.1";
        Assert.Equal(
            [
                $"POST {Things}{Format}",
                $"PUT {Things}(PartitionKey='it%27%27s',RowKey='%C3%A9%202'){Format}",
                $"PATCH {Things}(PartitionKey='it%27%27s',RowKey='3'){Format}",
                $"DELETE {Things}(PartitionKey='it%27%27s',RowKey='4'){Format}",
            ],
            lines.Where(line => line.EndsWith(" HTTP/1.1", StringComparison.Ordinal)));
        Assert.Equal(
            ["If-Match: W/\"1\"", "If-Match: *"],
            lines.Where(line => line.StartsWith("If-Match", StringComparison.Ordinal)));
        Assert.Equal(
            [
                """{"PartitionKey":"it\u0027s","RowKey":"\u00E9/1","Line":"a\nb"}""",
                """{"PartitionKey":"it\u0027s","RowKey":"\u00E9 2","n":"1","n@odata.type":"Edm.Int64"}""",
                """{"PartitionKey":"it\u0027s","RowKey":"3"}""",
            ],
            lines.Where(line => line.StartsWith('{')));
        Assert.DoesNotContain("Content-ID", sent.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("Authorization", sent.Body, StringComparison.Ordinal);
    }

    /// <summary>Trap: the package's parser throws what its parts throw.</summary>
    private static bool IsUnreadable(Exception? failed) =>
        failed is InvalidOperationException or IOException or InvalidDataException or FormatException;

    private static string WholeBut(string text, string replacement) =>
        Whole.Replace(text, replacement, StringComparison.Ordinal);

    private static Task<Response<IReadOnlyList<Response>>> Submit(ScriptedTransport transport) =>
        Scripted.Table(transport).SubmitTransactionAsync(
            [new(Add, new TableEntity("p", "a")), new(Add, new TableEntity("p", "b"))]);
}

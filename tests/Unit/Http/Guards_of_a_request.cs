using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Functions;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

/// <summary>What a request sets as a condition holds, or the request is refused; it is never passed over.</summary>
public sealed class Guards_of_a_request
{
    private const string Body = """{"orderId":"o-1","customerId":"c1","lines":[{"sku":"a","quantity":2,"unitPrice":9.5}]}""";

    [Theory]
    [InlineData("If-None-Match", "*")]
    [InlineData("If-None-Match", "\"1\"")]
    [InlineData("If-Unmodified-Since", "Sun, 22 Nov 2026 08:00:00 GMT")]
    public async Task Stop_a_command_that_does_not_support_them(string name, string value)
    {
        await using var log = new SimulatedLog();
        await PlaceAsync(log, Body);
        log.Table.ForgetRequests();

        var paid = await AnswerAsync(Post("/api/orders/o-1/pay", "{}", (name, value)), ask => Api(log).PayAsync(ask, "o-1", CancellationToken.None));

        Assert.Equal((400, "invalid-request"), (paid.Status, paid.ProblemName));
        Assert.StartsWith($"{name}: ", paid.Detail, StringComparison.Ordinal);
        Assert.Empty(log.Table.Requests);
    }

    [Theory]
    [InlineData("If-Match", "\"1\"")]
    [InlineData("If-None-Match", "*")]
    public async Task Stop_an_operation_before_it_is_carried_out(string name, string value)
    {
        var boundary = new FaultBoundary(NullLogger<FaultBoundary>.Instance, TimeProvider.System);
        var request = Request("DELETE", "/api/forwarders/servicebus", null, (name, value));
        var carriedOut = false;

        var answer = await AnswerAsync(request, _ => boundary.RunAsync(
            request,
            () =>
            {
                carriedOut = true;
                return Task.FromResult(Results.NoContent());
            },
            CancellationToken.None,
            isVersioned: false));

        Assert.Equal((400, false), (answer.Status, carriedOut));
    }

    [Theory]
    [InlineData("If-Match", "\"1\"", 200)]
    [InlineData("If-Match", "*", 200)]
    [InlineData("If-Match", "\"2\", \"1\"", 200)]
    [InlineData("If-Match", "\"2\"", 412)]
    [InlineData("If-Match", "W/\"1\"", 412)]
    [InlineData("If-Match", "1", 400)]
    [InlineData("If-Unmodified-Since", "Sun, 22 Nov 2026 08:00:00 GMT", 400)]
    [InlineData("If-None-Match", "\"1\"", 304)]
    [InlineData("If-None-Match", "W/\"1\"", 304)]
    [InlineData("If-None-Match", "\"2\"", 200)]
    public async Task Hold_when_an_order_is_read(string name, string value, int status)
    {
        await using var log = new SimulatedLog();
        await PlaceAsync(log, Body);

        var answer = await AnswerAsync(Request("/api/orders/o-1", (name, value)), ask => Api(log).GetAsync(ask, "o-1", CancellationToken.None));

        Assert.Equal(status, answer.Status);
        Assert.Equal(status is 304, answer.Body.Length == 0);
    }

    [Theory]
    [InlineData("*", 200)]
    [InlineData("\"other\"", 412)]
    public async Task Hold_when_a_page_is_read(string tags, int status)
    {
        await using var log = new SimulatedLog();
        await PlaceAsync(log, Body);
        using var api = new EventApi(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)));

        var answer = await AnswerAsync(Request("/api/events", ("If-Match", tags)), ask => api.ReadAsync(ask, CancellationToken.None));

        Assert.Equal(status, answer.Status);
    }

    [Theory]
    [InlineData("*", 200)]
    [InlineData("\"1\"", 412)]
    public async Task Hold_where_an_answer_has_no_tag(string tags, int status)
    {
        await using var log = new SimulatedLog();

        var answer = await AnswerAsync(Request("/api/partitions", ("If-Match", tags)), ask => new PartitionApi(log.Store).ListAsync(ask, CancellationToken.None));

        Assert.Equal(status, answer.Status);
    }

    [Theory]
    [InlineData("gzip", 415)]
    [InlineData("br, identity", 415)]
    [InlineData("", 415)]
    [InlineData("identity", 201)]
    [InlineData("Identity", 201)]
    public async Task Include_the_coding_of_a_body(string coding, int status)
    {
        await using var log = new SimulatedLog();

        var answer = await PlaceAsync(log, Body, ("Content-Encoding", coding));

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 415 ? "identity" : null, answer["Accept-Encoding"]);
    }

    [Fact]
    public async Task Are_answered_with_a_length_and_real_quotes()
    {
        await using var log = new SimulatedLog();

        var problem = await PlaceAsync(log, """{"orderId":"it's \"x\"","customerId":"c1","lines":[]}""");
        var placed = await PlaceAsync(log, Body);

        Assert.Contains("'\\\"it's", problem.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\\u00", problem.Text, StringComparison.Ordinal);
        Assert.Equal((problem.Body.Length, placed.Body.Length), ((int)problem.Headers.ContentLength!, (int)placed.Headers.ContentLength!));
    }

    [Fact]
    public async Task Are_answered_without_a_fault_to_a_client_that_has_left()
    {
        await using var log = new SimulatedLog();
        await PlaceAsync(log, Body);
        using var events = new EventApi(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)));
        using var left = new CancellationTokenSource();
        await left.CancelAsync();
        Func<HttpRequest, Task<IResult>>[] answers =
        [
            ask => Api(log).GetAsync(ask, "o-1", CancellationToken.None),
            ask => Api(log).GetAsync(ask, "o-2", CancellationToken.None),
            ask => events.ReadAsync(ask, CancellationToken.None),
            _ => Task.FromResult<IResult>(new DashboardPage()),
            _ => Task.FromResult(new OpenApiDocument(new AppEndpoints(() => []), []).Answer()),
        ];

        foreach (var ask in answers)
        {
            var request = Request("/api");
            request.HttpContext.RequestAborted = left.Token;
            request.HttpContext.Response.Body = new ClosedStream();
            await (await ask(request)).ExecuteAsync(request.HttpContext);
            request = Request("/api");
            request.HttpContext.Response.Body = new ClosedStream();
            await (await ask(request)).ExecuteAsync(request.HttpContext);
        }
    }

    [Fact]
    public async Task Do_not_make_a_fault_of_a_client_that_leaves_while_it_sends()
    {
        await using var log = new SimulatedLog();
        var request = Post("/api/orders", Body);
        request.Body = new ClosedStream();

        var answer = await AnswerAsync(request, ask => Api(log).PlaceAsync(ask, CancellationToken.None));

        Assert.Equal(400, answer.Status);
    }

    [Theory]
    [InlineData("""{"customerId":"c1",}""", "The body is not valid JSON: see line 1, byte 20.")]
    [InlineData("""{"customerId":"c1","customerId":"c2"}""", "The body has the member 'customerId' twice in one object.")]
    [InlineData("""{"a":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}""", "The body is nested more than 16 deep.")]
    public async Task Say_in_this_API_s_words_what_is_wrong_with_a_body(string body, string detail)
    {
        await using var log = new SimulatedLog();

        Assert.Equal(detail, (await PlaceAsync(log, body)).Detail);
    }

    [Theory]
    [InlineData(50, 201)]
    [InlineData(100, 201)]
    [InlineData(101, 400)]
    public async Task Count_characters_as_the_document_does(int characters, int status)
    {
        await using var log = new SimulatedLog();
        var name = string.Concat(Enumerable.Repeat("\U0001F600", characters));

        Assert.Equal(status, (await PlaceAsync(log, Body.Replace("c1", name, StringComparison.Ordinal))).Status);
    }

    [Theory]
    [InlineData("2.0", 201)]
    [InlineData("2e0", 201)]
    [InlineData("20E-1", 201)]
    [InlineData("2.000000000000000000000000000000000000", 201)]
    [InlineData("0.2e1", 201)]
    [InlineData("2.5", 400)]
    [InlineData("1e6", 201)]
    [InlineData("1e7", 400)]
    [InlineData("1e999999999999", 400)]
    [InlineData("0e999999999999", 400)]
    [InlineData("-0", 400)]
    public async Task Take_a_whole_number_in_every_form_it_has(string quantity, int status)
    {
        await using var log = new SimulatedLog();

        Assert.Equal(status, (await PlaceAsync(log, Body.Replace("\"quantity\":2", $"\"quantity\":{quantity}", StringComparison.Ordinal))).Status);
    }

    [Theory]
    [InlineData("9.79000000000000000000000000000000", 201)]
    [InlineData("979e-2", 201)]
    [InlineData("0e-99999999999", 201)]
    [InlineData("0.00001", 400)]
    [InlineData("1e-30", 400)]
    [InlineData("1000000000.0001", 400)]
    public async Task Take_a_price_by_its_value(string price, int status)
    {
        await using var log = new SimulatedLog();

        Assert.Equal(status, (await PlaceAsync(log, Body.Replace("9.5", price, StringComparison.Ordinal))).Status);
    }

    [Fact]
    public async Task Help_whoever_sends_a_price_that_arithmetic_left_with_a_rest()
    {
        await using var log = new SimulatedLog();

        var answer = await PlaceAsync(log, Body.Replace("9.5", "9.790000000000001", StringComparison.Ordinal));

        Assert.Equal(400, answer.Status);
        Assert.Contains("at most 4 decimal places is. Round it to 4 places", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refer_to_the_public_URL_where_it_is_set()
    {
        await using var log = new SimulatedLog();
        var links = new Links("https://gateway.example/shop");
        var api = Api(log, links);
        using var events = new EventApi(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)) { Links = links });

        var placed = await AnswerAsync(Post("/api/orders", Body), ask => api.PlaceAsync(ask, CancellationToken.None));
        await AnswerAsync(Post("/api/orders/o-1/pay", "{}"), ask => api.PayAsync(ask, "o-1", CancellationToken.None));
        var page = await AnswerAsync(Request("/api/events?limit=1"), ask => events.ReadAsync(ask, CancellationToken.None));

        Assert.Equal("https://gateway.example/shop/api/orders/o-1", placed["Location"]);
        Assert.Equal("<https://gateway.example/shop/api/events?partition=0&offset=1&limit=1>; rel=\"next\"", page["Link"]);
    }

    [Theory]
    [InlineData("/api/orders", "https://gateway.example/shop/api/orders")]
    [InlineData("/api/orders/", "https://gateway.example/shop/api/orders/")]
    public async Task Refer_relative_to_whatever_URL_the_client_used(string path, string used)
    {
        await using var log = new SimulatedLog();

        var placed = await AnswerAsync(Post(path, Body), ask => Api(log).PlaceAsync(ask, CancellationToken.None));

        Assert.Equal(new Uri("https://gateway.example/shop/api/orders/o-1"), new Uri(new Uri(used), placed["Location"]));
    }

    [Fact]
    public async Task Name_the_parameter_that_was_sent()
    {
        await using var log = new SimulatedLog();
        var layout = await log.Store.LayoutAsync(CancellationToken.None);
        using var events = new EventApi(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)));

        var answer = await AnswerAsync(
            Request($"/api/feed?lastEventId={new EventId(layout.Log, 0, 41)}"), ask => events.FeedAsync(ask, null, CancellationToken.None));

        Assert.Equal((400, "offset-beyond-head"), (answer.Status, answer.ProblemName));
        Assert.StartsWith("lastEventId: the entry after this one, 42,", answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    [InlineData("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    [InlineData("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")]
    [InlineData("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", null)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", null)]
    [InlineData("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", null)]
    [InlineData("cc-00000000000000000000000000000000-00f067aa0ba902b7-01", null)]
    [InlineData("cc-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", null)]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", null)]
    public void Read_a_later_trace_parent_as_far_as_it_is_known(string sent, string? kept) =>
        Assert.Equal(kept, CommandHeaders.Read(Request("POST", "/api/orders", Encoding.UTF8.GetBytes("{}"), ("traceparent", sent))).Headers!.TraceParent);

    private static OrderFunctions Api(SimulatedLog log, Links? links = null) => new(new Outpost.AspNetCore.EntityApi(
        log.Log, log.Sources, links ?? new Links(null), new Outpost.AspNetCore.FaultBoundary(NullLogger<Outpost.AspNetCore.FaultBoundary>.Instance, log.Time)));

    private static Task<Answer> PlaceAsync(SimulatedLog log, string body, params (string, string)[] headers) =>
        AnswerAsync(Post("/api/orders", body, headers), ask => Api(log).PlaceAsync(ask, CancellationToken.None));

    // A connection that was reset.
    private sealed class ClosedStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new IOException("The client reset the request stream.");

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("The client reset the request stream.");

        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("Broken pipe.");

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException("Broken pipe.");
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Outpost.Tests.EndToEnd;

/// <summary>Bad input on every route: a 4xx problem that names it; never a 5xx, never a stored row.</summary>
public sealed class BadInput : IAsyncLifetime
{
    private const string Good = """{"orderId":"x","customerId":"c1","lines":[{"sku":"a","quantity":2,"unitPrice":9.5}]}""";
    private LocalServices _services = null!;
    private RunningApp _app = null!;

    public static TheoryData<string, string> Fields => new()
    {
        { "", "JSON" },
        { "{", "JSON" },
        { "[]", "object" },
        { "null", "object" },
        { "{}", "customerId" },
        { Good.Replace("\"c1\"", "null", StringComparison.Ordinal), "customerId" },
        { Good.Replace("\"c1\"", "5", StringComparison.Ordinal), "customerId" },
        { Good.Replace("\"c1\"", "\"\"", StringComparison.Ordinal), "customerId" },
        { Good.Replace("c1", new string('c', 101), StringComparison.Ordinal), "customerId" },
        { Good.Replace("c1", "a\\u0000b", StringComparison.Ordinal), "customerId" },
        { Good.Replace("c1", "\\ud800", StringComparison.Ordinal), "customerId" },
        { Good.Replace("\"x\"", "\"a/b\"", StringComparison.Ordinal), "orderId" },
        { Good.Replace("\"x\"", "\"\"", StringComparison.Ordinal), "orderId" },
        { Good.Replace("\"x\"", $"\"{new string('x', 101)}\"", StringComparison.Ordinal), "orderId" },
        { Good.Replace("\"x\"", "[1]", StringComparison.Ordinal), "orderId" },
        { Good.Replace("[{\"sku\"", "[7,{\"sku\"", StringComparison.Ordinal), "lines" },
        { """{"customerId":"c1","lines":[]}""", "lines" },
        { """{"customerId":"c1","lines":{}}""", "lines" },
        { """{"customerId":"c1"}""", "lines" },
        { $$"""{"customerId":"c1","lines":[{{string.Join(',', Enumerable.Repeat("""{"sku":"a","quantity":1,"unitPrice":1}""", 101))}}]}""", "lines" },
        { Good.Replace("\"a\"", "\"\"", StringComparison.Ordinal), "lines[0].sku" },
        { Good.Replace("\"quantity\":2", "\"quantity\":0", StringComparison.Ordinal), "lines[0].quantity" },
        { Good.Replace("\"quantity\":2", "\"quantity\":-1", StringComparison.Ordinal), "lines[0].quantity" },
        { Good.Replace("\"quantity\":2", "\"quantity\":1.5", StringComparison.Ordinal), "lines[0].quantity" },
        { Good.Replace("\"quantity\":2", "\"quantity\":\"2\"", StringComparison.Ordinal), "lines[0].quantity" },
        { Good.Replace("\"quantity\":2", "\"quantity\":99999999999999999999", StringComparison.Ordinal), "lines[0].quantity" },
        { Good.Replace("9.5", "-0.01", StringComparison.Ordinal), "lines[0].unitPrice" },
        { Good.Replace("9.5", "1e400", StringComparison.Ordinal), "lines[0].unitPrice" },
        { Good.Replace("9.5", "0.00001", StringComparison.Ordinal), "lines[0].unitPrice" },
        { Good.Replace("9.5", "true", StringComparison.Ordinal), "lines[0].unitPrice" },
        { Good.Replace("\"unitPrice\":9.5", "\"unitPrice\":9.5,\"discount\":1", StringComparison.Ordinal), "lines[0].discount" },
        { Good.Replace("\"customerId\"", "\"total\":0,\"customerId\"", StringComparison.Ordinal), "total" },
        { Good.Replace("\"customerId\"", "\"customerId\":\"c0\",\"customerId\"", StringComparison.Ordinal), "customerId" },
        { new string('[', 100) + new string(']', 100), "nested" },
    };

    public async Task InitializeAsync()
    {
        _services = await LocalServices.StartAsync();
        _app = await _services.StartAppAsync();
        using var placed = await _app.PlaceAsync("there");
    }

    public async Task DisposeAsync() => await _services.DisposeAsync();

    [Fact]
    public async Task Every_bad_body_is_a_problem_that_names_the_field()
    {
        foreach (var row in Fields)
        {
            using var response = await _app.PostAsync("/api/orders", (string)row[0]);
            await AssertProblemAsync(response, HttpStatusCode.BadRequest, (string)row[1]);
        }

        foreach (var (body, named) in new[] { ("", "JSON"), ("{}", "reason"), ("""{"reason":5}""", "reason"), ("""{"reason":""}""", "reason"), ("""{"reason":"a","x":1}""", "x"), ($$"""{"reason":"{{new string('r', 501)}}"}""", "reason") })
        {
            using var response = await _app.PostAsync("/api/orders/there/cancel", body);
            await AssertProblemAsync(response, HttpStatusCode.BadRequest, named);
        }

        foreach (var verb in new[] { "pay", "ship" })
        {
            using var response = await _app.PostAsync($"/api/orders/there/{verb}", """{"amount":1}""");
            await AssertProblemAsync(response, HttpStatusCode.BadRequest, "amount");
        }

        Assert.Equal(1, await _app.HeadAsync());
    }

    [Fact]
    public async Task Every_bad_media_type_size_and_header_is_a_problem_that_says_so()
    {
        foreach (var mediaType in new[] { "text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=utf-16" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Good)) };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
            using var response = await _app.Http.SendAsync(request);
            await AssertProblemAsync(response, HttpStatusCode.UnsupportedMediaType, mediaType);
        }

        foreach (var chunked in new[] { false, true })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
            {
                Content = new StringContent(Good + new string(' ', 40_000_000), Encoding.UTF8, "application/json"),
            };
            request.Headers.TransferEncodingChunked = chunked;
            using var response = await _app.Http.SendAsync(request);
            await AssertProblemAsync(response, HttpStatusCode.RequestEntityTooLarge, "65536");
        }

        foreach (var (name, value) in new[]
        {
            ("Idempotency-Key", "\"\""), ("Idempotency-Key", "two words"), ("Idempotency-Key", "\"open"), ("Idempotency-Key", new string('k', 129)),
            ("If-Match", "1"), ("If-Match", "\"1"), ("X-Correlation-Id", new string('c', 129)),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders") { Content = new StringContent(Good, Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation(name, value);
            using var response = await _app.Http.SendAsync(request);
            await AssertProblemAsync(response, HttpStatusCode.BadRequest, name);
        }

        Assert.Equal(1, await _app.HeadAsync());
    }

    [Theory]
    [InlineData("/api/events?offset=-1", 400, "offset")]
    [InlineData("/api/events?offset=", 400, "offset")]
    [InlineData("/api/events?offset=abc", 400, "offset")]
    [InlineData("/api/events?offset=1.5", 400, "offset")]
    [InlineData("/api/events?offset=+1", 400, "offset")]
    [InlineData("/api/events?offset=9223372036854775808", 400, "offset")]
    [InlineData("/api/events?offset=9223372036854775807", 400, "offset")]
    [InlineData("/api/events?offset=0&offset=1", 400, "offset")]
    [InlineData("/api/events?offset=2", 400, "headOffset")]
    [InlineData("/api/events?limit=0", 400, "limit")]
    [InlineData("/api/events?limit=1001", 400, "limit")]
    [InlineData("/api/events?limit=ten", 400, "limit")]
    [InlineData("/api/events?partition=1", 400, "partition")]
    [InlineData("/api/events?partition=-1", 400, "partition")]
    [InlineData("/api/events?wait=26", 400, "wait")]
    [InlineData("/api/events?types=", 400, "types")]
    [InlineData("/api/events?types=A,,B", 400, "types")]
    [InlineData("/api/events?ofset=0", 400, "ofset")]
    [InlineData("/api/events?%00=1", 400, "parameter")]
    [InlineData("/api/events/nonsense", 404, "event id")]
    [InlineData("/api/events/zzzzzzzz-0000-0000000000000000000", 404, "zzzzzzzz")]
    [InlineData("/api/events/nonsense/data", 404, "event id")]
    [InlineData("/api/partitions?x=1", 400, "x")]
    [InlineData("/api/orders/none", 404, "none")]
    [InlineData("/api/orders/a%2Fb", 404, "")]
    [InlineData("/api/orders/%F0%9F%9A%80", 404, "")]
    public async Task Every_bad_query_and_path_is_a_problem_that_names_it(string path, int status, string named)
    {
        using var response = await _app.Http.GetAsync(path);

        await AssertProblemAsync(response, (HttpStatusCode)status, named);
    }

    [Fact]
    public async Task Random_nonsense_on_every_route_is_never_a_5xx_and_stores_nothing()
    {
        var random = new Random(20261122);
        string[] routes = ["/api/orders", "/api/orders/there", "/api/orders/there/pay", "/api/orders/there/ship", "/api/orders/there/cancel", "/api/events", "/api/partitions", "/api/health", "/api/nothing", "/"];
        for (var i = 0; i < 1_500; i++)
        {
            var path = routes[random.Next(routes.Length)] + (random.Next(3) == 0 ? "?" + Nonsense(random, 30) : "");
            using var request = new HttpRequestMessage(new HttpMethod(random.Next(4) switch { 0 => "GET", 1 => "PUT", 2 => "DELETE", _ => "POST" }), path);
            // Always one byte that is no JSON: a request that happens to be good would rightly be stored.
            if (request.Method != HttpMethod.Get) request.Content = new StringContent("\u0001" + Nonsense(random, 200), Encoding.UTF8, random.Next(3) == 0 ? "text/plain" : "application/json");
            if (random.Next(4) == 0) request.Headers.TryAddWithoutValidation("Idempotency-Key", Nonsense(random, 20));
            if (random.Next(4) == 0) request.Headers.TryAddWithoutValidation("If-None-Match", Nonsense(random, 20));
            using var response = await _app.Http.SendAsync(request);
            Assert.True((int)response.StatusCode < 500, $"{request.Method} {path}: {(int)response.StatusCode}");
        }

        Assert.Equal(1, await _app.HeadAsync());
    }

    private static string Nonsense(Random random, int length) => string.Concat(Enumerable.Range(0, random.Next(length))
        .Select(_ => random.Next(4) == 0 ? "%" + random.Next(256).ToString("X2", CultureInfo.InvariantCulture) : ((char)random.Next('!', '~')).ToString(CultureInfo.InvariantCulture)))
        .Replace('#', '.');

    private static async Task AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status, string named)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}, not {(int)status}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.StartsWith("/api/problems/", problem.GetProperty("type").GetString(), StringComparison.Ordinal);
        Assert.Contains(named, text, StringComparison.Ordinal);
    }
}

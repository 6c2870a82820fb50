using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Outpost.Tests.EndToEnd;

/// <summary>
/// One generated request: a route of the OpenAPI document, then none or some of its parts spoilt. The same random
/// numbers give the same request.
/// </summary>
/// <param name="Bytes">What goes over the wire.</param>
/// <param name="Path">Which path of the document.</param>
/// <param name="Method">In capitals.</param>
/// <param name="IsRouted">Path and method are a function's: what is wrong is for our code to say.</param>
/// <param name="IsWhole">It is one HTTP request; a server that answers it can answer another on the same connection.</param>
internal sealed record FuzzedRequest(byte[] Bytes, string Path, string Method, bool IsRouted, bool IsWhole)
{
    private const int Orders = 400;

    /// <summary>Of the log that is asked.</summary>
    public const int Partitions = 2;

    private static readonly string[] Nasty =
    [
        "", " ", "0", "-1", "1", "2", "+1", "1.5", "01", "1e3", "0x10", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "NaN", "null",
        "true", "latest", "earliest", "é", "🚀", "\u2028", "\u0000", "\r\nX-Injected: 1", "%", "%zz", "%00", "%2e%2e%2f", "../..", "a/b", "'", "\"", "<script>alert(1)</script>",
        "{}", "[]", ";", ",", "*", "W/\"1\"", "\"1\"", "\"unclosed", "OrderPlaced", "OrderPlaced,OrderPaid", ",,", "ſ", "K", "٣", "servicebus", "refunds", "zzzzzzzz-0000-0000000000000000000",
    ];

    private static readonly string[] Headers =
        ["Idempotency-Key", "If-Match", "If-None-Match", "Accept", "traceparent", "X-Correlation-Id", "Content-Type", "Range", "Accept-Encoding", "x-functions-key", "X-HTTP-Method-Override"];

    public static FuzzedRequest Next(Random random, JsonNode document, string host)
    {
        var (path, template) = document["paths"]!.AsObject().ElementAt(random.Next(document["paths"]!.AsObject().Count));
        var operations = template!.AsObject();
        var method = operations.ElementAt(random.Next(operations.Count)).Key.ToUpperInvariant();
        var target = Target(random, path);
        var isRouted = true;
        if (random.Next(12) == 0)
        {
            isRouted = false;
            if (random.Next(2) == 0) method = Pick(random, "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "POST", "GET", "HEAD", "get", "X");
            else target = Spoil(random, target);
        }

        target += Query(random, path, Parameters(document, operations[method.ToLowerInvariant()]));
        var (body, isWhole) = Body(random, path, method);
        var head = new StringBuilder($"{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
        var framing = random.Next(40);
        if (framing == 0) (isRouted, isWhole) = (false, false); // nonsense, below
        for (var count = random.Next(6) == 0 ? random.Next(4) : 0; count > 0; count--) head.Append($"{Pick(random, Headers)}: {HeaderValue(random)}\r\n");
        if (method == "POST" && random.Next(3) == 0) head.Append(CultureInfo.InvariantCulture, $"Idempotency-Key: k-{random.Next(100)}\r\n");
        if (method is "GET" or "HEAD" && random.Next(8) == 0) head.Append("If-None-Match: *\r\n");
        if (method is "POST" && random.Next(15) == 0) head.Append("If-Match: \"7\"\r\n");
        if (method is "GET" && random.Next(5) == 0) head.Append($"Accept: {Pick(random, "application/cloudevents-batch+json", "*/*", "text/html", ";;;")}\r\n");
        var bytes = framing switch
        {
            0 => Broken(random, head.ToString()),
            1 => Chunked(random, head, body, ref isWhole),
            _ => Sized(random, head, method, body, ref isWhole),
        };
        return new FuzzedRequest(bytes, path, method, isRouted && isWhole, isWhole);
    }

    private static string Target(Random random, string path)
    {
        var target = new StringBuilder();
        foreach (var part in path.Split('/').Skip(1))
        {
            target.Append('/').Append(part switch
            {
                "{id}" when path.StartsWith("/api/orders", StringComparison.Ordinal) => $"f-{random.Next(Orders)}",
                "{partition}" => random.Next(8) == 0 ? Escaped(Pick(random, Nasty)) : $"{random.Next(Partitions + 1)}",
                "{offset}" => random.Next(4) == 0 ? Escaped(Pick(random, Nasty)) : $"{random.Next(50)}",
                "{name}" => random.Next(8) == 0 ? Escaped(Pick(random, Nasty)) : "servicebus",
                ['{', ..] => Escaped(Pick(random, Nasty)),
                _ => part,
            });
            // An empty segment is another route.
            if (target[^1] == '/') target.Append("nothing");
        }

        return target.ToString();
    }

    // Those of the query; none for a method that is not documented.
    private static string[] Parameters(JsonNode document, JsonNode? operation) =>
    [
        .. (operation?["parameters"]?.AsArray() ?? []).Select(each => each!["$ref"] is { } reference ? document["components"]!["parameters"]![reference.ToString().Split('/')[^1]]! : each)
            .Where(each => (string)each["in"]! == "query").Select(each => (string)each["name"]!),
    ];

    private static string Query(Random random, string path, string[] known)
    {
        var parts = new List<string>();
        for (var count = known.Length == 0 ? random.Next(20) / 19 : random.Next(4); count > 0; count--)
        {
            var name = known.Length > 0 && random.Next(15) > 0 ? Pick(random, known) : Pick(random, Escaped(Pick(random, Nasty)), "offset", "code", "clientId");
            var value = random.Next(8) == 0 ? Escaped(Pick(random, Nasty)) : name switch
            {
                "limit" => $"{random.Next(1, 1001)}",
                // Rarely, or the fuzzer would do nothing but wait.
                "wait" => random.Next(30) == 0 ? "1" : "0",
                "timeout" => random.Next(30) == 0 ? "500" : "0",
                "time" => "2026-11-22T08:00:00Z",
                "types" when random.Next(4) > 0 => Pick(random, "OrderPlaced", "OrderPaid,OrderCancelled", "None"),
                "types" => string.Join(',', Enumerable.Range(0, random.Next(1, 120)).Select(i => $"T{random.Next(1000)}{i}")),
                "lastEventId" => Pick(random, "", "null", "zzzzzzzz-0000-0000000000000000000"),
                "partition" => $"{random.Next(Partitions)}",
                "offset" when random.Next(3) > 0 => Pick(random, "0", "1", "7", "earliest", "latest"),
                _ => $"{random.Next(2000)}",
            };
            parts.Add(random.Next(20) == 0 ? name : $"{name}={value}");
        }

        if (path == "/api/events" && random.Next(10) > 0 && !parts.Exists(part => part.StartsWith("partition", StringComparison.Ordinal))) parts.Add($"partition={random.Next(Partitions)}");
        if (path.EndsWith("offset-at", StringComparison.Ordinal) && random.Next(2) == 0) parts = ["time=2026-11-22T08:00:00Z"];
        if (random.Next(300) == 0) parts.Add("types=" + new string('x', 6000));
        return parts.Count == 0 ? "" : "?" + string.Join('&', parts);
    }

    private static (byte[] Body, bool IsWhole) Body(Random random, string path, string method)
    {
        if (method is "GET" or "HEAD" or "DELETE" or "TRACE" && random.Next(20) != 0) return ([], true);
        var text = path switch
        {
            "/api/orders" => $$"""{"orderId":"f-{{random.Next(Orders)}}","customerId":"c{{random.Next(9)}}","lines":[{"sku":"a","quantity":{{random.Next(1, 9)}},"unitPrice":{{random.Next(100)}}.25}]}""",
            _ when path.EndsWith("/replay", StringComparison.Ordinal) => $$"""{"partition":{{random.Next(3)}},"fromOffset":{{random.Next(20)}},"toOffset":{{random.Next(20)}}}""",
            _ when path.EndsWith("/cancel", StringComparison.Ordinal) || path.EndsWith("/discard", StringComparison.Ordinal) => """{"reason":"fuzzed"}""",
            _ => random.Next(2) == 0 ? "" : "{}",
        };
        return (random.Next(12) switch
        {
            0 => Encoding.UTF8.GetBytes(SpoilJson(random, text)),
            1 => Mutated(random, Encoding.UTF8.GetBytes(text)),
            2 when random.Next(5) == 0 => Encoding.UTF8.GetBytes(text + new string(' ', random.Next(1, 300_000))),
            _ => Encoding.UTF8.GetBytes(text),
        }, true);
    }

    private static string SpoilJson(Random random, string text) => random.Next(9) switch
    {
        0 => new string('[', random.Next(1, 20_000)),
        1 => string.Concat(Enumerable.Repeat("{\"a\":", 40)) + "1" + new string('}', 40),
        2 => text.Replace("\"c", "\"\\ud800", StringComparison.Ordinal),
        3 => text.Replace(":", $":{Pick(random, "null", "-1", "1e999", "[]", "{}", "\"\\u0000\"", "12345678901234567890123", "0.00000001")},\"x\":", StringComparison.Ordinal),
        4 => text + text,
        5 => $"{{\"\\ud800\":1,{text}",
        6 => text.Replace("{", "{\"customerId\":\"twice\",", StringComparison.Ordinal),
        7 => "\uFEFF" + text,
        _ => text[..random.Next(text.Length + 1)],
    };

    private static byte[] Mutated(Random random, byte[] bytes)
    {
        for (var count = Math.Min(bytes.Length, random.Next(1, 5)); count > 0; count--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static string Spoil(Random random, string target) => random.Next(6) switch
    {
        0 => target + "/" + Escaped(Pick(random, Nasty)),
        1 => target.Replace("/api", "/" + Escaped(Pick(random, Nasty)), StringComparison.Ordinal),
        2 => target.Insert(random.Next(1, target.Length + 1), Escaped(Pick(random, Nasty))),
        3 => target.ToUpperInvariant(),
        4 => target.Replace("s", "%73", StringComparison.Ordinal),
        _ => target + new string('a', random.Next(10_000)),
    };

    private static string HeaderValue(Random random) => random.Next(10) switch
    {
        0 => new string('x', random.Next(300)),
        1 => string.Join(",", Enumerable.Repeat("\"1\"", random.Next(500))),
        2 => "application/json; charset=" + Pick(random, "utf-8", "utf-16", "\"", "utf-8; x"),
        // Control characters end a header or a request: those are spoilt elsewhere.
        _ => string.Concat(Pick(random, Nasty).Where(c => !char.IsControl(c))),
    };

    private static byte[] Sized(Random random, StringBuilder head, string method, byte[] body, ref bool isWhole)
    {
        if (body.Length > 0 || method is "POST" or "PUT" or "PATCH")
        {
            head.Append($"Content-Type: {(random.Next(15) == 0 ? HeaderValue(random) : "application/json")}\r\n");
            var length = (long)body.Length;
            if (random.Next(60) == 0)
            {
                // Less comes than was said.
                length += random.Next(1, 100_000);
                isWhole = false;
            }

            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        }

        return [.. Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()), .. body];
    }

    private static byte[] Chunked(Random random, StringBuilder head, byte[] body, ref bool isWhole)
    {
        head.Append("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        var end = random.Next(3) switch { 0 => "0\r\n\r\n", 1 => "zz\r\n", _ => "" };
        isWhole = end.StartsWith('0');
        var chunk = body.Length == 0 ? [] : (byte[])[.. Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"), .. body, .. "\r\n"u8];
        return [.. Encoding.UTF8.GetBytes(head.ToString()), .. chunk, .. Encoding.ASCII.GetBytes(end)];
    }

    private static byte[] Broken(Random random, string head) => random.Next(5) switch
    {
        0 => Mutated(random, Encoding.UTF8.GetBytes(head + "\r\n")),
        1 => Encoding.UTF8.GetBytes(head[..random.Next(head.Length)]),
        2 => Encoding.UTF8.GetBytes(head + "A: " + new string('x', 40_000) + "\r\n\r\n"),
        3 => Encoding.UTF8.GetBytes(head + string.Concat(Enumerable.Range(0, 200).Select(i => $"H{i}: x\r\n")) + "\r\n"),
        _ => Encoding.UTF8.GetBytes(head.Replace("HTTP/1.1", Pick(random, "HTTP/9.9", "HTTP/1.0", "", "FTP/1.1"), StringComparison.Ordinal) + "Content-Length: -1\r\n\r\n"),
    };

    // Some as they should be, some not.
    private static string Escaped(string text) => text.StartsWith('%') ? text : Uri.EscapeDataString(text);

    private static string Pick(Random random, params string[] from) => from[random.Next(from.Length)];
}

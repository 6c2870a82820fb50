using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Outpost.Tests.Testing;

/// <summary>A request as it came to a <see cref="FaultyProxy"/>, whole, so that it can be sent on at any time.</summary>
internal sealed class ProxiedRequest
{
    private static readonly HashSet<string> OfTheConnection =
        new(StringComparer.OrdinalIgnoreCase) { "Host", "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length" };

    // The signature covers the path as it was sent: it must not be tidied up on its way.
    private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly List<KeyValuePair<string, string>> _headers;
    private readonly byte[] _body;

    private ProxiedRequest(int number, HttpRequest request, byte[] body)
    {
        Number = number;
        Method = request.Method;
        Target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        _headers = [.. request.Headers
            .Where(header => !OfTheConnection.Contains(header.Key))
            .Select(header => KeyValuePair.Create(header.Key, header.Value.ToString()))];
        _body = body;
    }

    /// <summary>1, 2, 3, … in the order of arrival at its proxy.</summary>
    public int Number { get; }

    public string Method { get; }

    /// <summary>Path and query as sent.</summary>
    public string Target { get; }

    /// <summary>The id that its client gave it.</summary>
    public string ClientRequestId => _headers.FirstOrDefault(header => string.Equals(header.Key, "x-ms-client-request-id", StringComparison.OrdinalIgnoreCase)).Value ?? "";

    /// <summary>An entity group transaction: a commit.</summary>
    public bool IsTransaction => Target.EndsWith("$batch", StringComparison.Ordinal);

    public bool IsWrite => Method != HttpMethods.Get;

    /// <summary>
    /// What a partition's writer sends, and opening a log: one request after the other, so that the next one tells
    /// that the one before was given up. All else is reads of callers, many at once.
    /// </summary>
    public bool IsOfAWriter => IsWrite || Uri.UnescapeDataString(Target).Contains("'!head'", StringComparison.Ordinal);

    internal static async Task<ProxiedRequest> ReadAsync(HttpRequest request, int number)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        return new ProxiedRequest(number, request, body.ToArray());
    }

    internal async Task<ProxiedAnswer> SendAsync(HttpMessageInvoker upstream, string authority)
    {
        using var request = new HttpRequestMessage(new HttpMethod(Method), new Uri($"{authority}{Target}", in AsItIs));
        if (IsWrite) request.Content = new ByteArrayContent(_body);
        foreach (var (name, value) in _headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await upstream.SendAsync(request, CancellationToken.None);
        return new ProxiedAnswer(
            (int)answer.StatusCode,
            [.. answer.Headers.Concat(answer.Content.Headers)
                .Where(header => !OfTheConnection.Contains(header.Key))
                .Select(header => KeyValuePair.Create(header.Key, string.Join(", ", header.Value)))],
            await answer.Content.ReadAsByteArrayAsync());
    }
}

/// <summary>The service's answer to a <see cref="ProxiedRequest"/>.</summary>
internal sealed record ProxiedAnswer(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    /// <summary>An answer as an overloaded or broken service gives it.</summary>
    public static ProxiedAnswer Failure(int status, string code) => new(
        status,
        [new("Content-Type", "application/json"), new("x-ms-error-code", code)],
        JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["odata.error"] = new { code, message = new { lang = "en-US", value = code } },
        }));

    /// <param name="to">Where to.</param>
    /// <param name="cutInTheBody">The connection is cut after half of the body.</param>
    public async Task WriteAsync(HttpContext to, bool cutInTheBody = false)
    {
        to.Response.StatusCode = Status;
        foreach (var (name, value) in Headers) to.Response.Headers[name] = value;
        if (Body.Length > 0)
        {
            to.Response.ContentLength = Body.Length;
            await to.Response.Body.WriteAsync(cutInTheBody ? Body.AsMemory(0, Body.Length / 2) : Body);
            await to.Response.Body.FlushAsync();
        }

        if (cutInTheBody) to.Abort();
    }
}

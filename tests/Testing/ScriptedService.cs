using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Outpost.Tables;

namespace Outpost.Tests.Testing;

/// <summary>Answers the requests of a real client as a test says, in place of a network.</summary>
internal sealed class ScriptedService(Func<ScriptedService.Asked, Answer> answers) : HttpPipelineTransport
{
    private int _requests;

    /// <summary>Requests so far, repeats included.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>The product's client on this service, with hardly a wait between tries.</summary>
    public static TableClient Client(StoreClock clock, ScriptedService service, TimeSpan? tryMax = null) => new TableStorageOptions
    {
        ConnectionString = "AccountName=acct;AccountKey=a2V5;TableEndpoint=https://acct.table.example.net",
        TableName = "outpost",
    }.CreateClient(clock, options =>
    {
        options.Transport = service;
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        if (tryMax is { } most) options.Retry.NetworkTimeout = most;
    });

    public override Request CreateRequest() => HttpClientTransport.Shared.CreateRequest();

    public override void Process(HttpMessage message) => throw new NotSupportedException("Everything here is asynchronous.");

    public override async ValueTask ProcessAsync(HttpMessage message)
    {
        var answer = answers(new Asked(Interlocked.Increment(ref _requests), message.Request.Method.Method, message.Request.Uri.ToUri()));
        if (answer.After is { } after) await after;
        message.Response = new Scripted(answer, message.Request.ClientRequestId);
    }

    /// <summary>One request.</summary>
    /// <param name="Number">1, 2, 3, …</param>
    /// <param name="Method">GET, POST, …</param>
    /// <param name="Uri">Of what.</param>
    public sealed record Asked(int Number, string Method, Uri Uri);

    private sealed class Scripted(Answer answer, string clientRequestId) : Response
    {
        public override int Status => answer.Status;

        public override string ReasonPhrase => "Scripted";

        public override Stream? ContentStream { get; set; } = new MemoryStream(Encoding.UTF8.GetBytes(answer.Body));

        public override string ClientRequestId { get; set; } = "";

        public override void Dispose() => ContentStream?.Dispose();

        protected override bool ContainsHeader(string name) => TryGetHeader(name, out _);

        protected override IEnumerable<HttpHeader> EnumerateHeaders() =>
            new[] { "Content-Type", "x-ms-request-id", "x-ms-client-request-id", "Date", "Retry-After", "ETag" }
                .Where(ContainsHeader).Select(name => new HttpHeader(name, TryGetHeader(name, out var value) ? value : ""));

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value)
        {
            value = name.ToUpperInvariant() switch
            {
                "CONTENT-TYPE" => answer.Type,
                "X-MS-REQUEST-ID" => answer.IsMarked ? "1" : null,
                "X-MS-CLIENT-REQUEST-ID" => answer.IsMarked ? answer.ClientRequestId ?? clientRequestId : null,
                "DATE" => answer.Date?.ToString("R", CultureInfo.InvariantCulture),
                "RETRY-AFTER" => answer.RetryAfter,
                "ETAG" => answer.Tag,
                _ => null,
            };
            return value is not null;
        }

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
        {
            values = TryGetHeader(name, out var value) ? [value] : null;
            return values is not null;
        }
    }
}

/// <summary>What a <see cref="ScriptedService"/> answers: as the service does, unless said otherwise.</summary>
internal sealed record Answer(int Status, string Body)
{
    /// <summary>Whether it has the service's request id.</summary>
    public bool IsMarked { get; init; } = true;

    public string Type { get; init; } = "application/json";

    /// <summary>Whose request it says that it answers; null: the one that was sent.</summary>
    public string? ClientRequestId { get; init; }

    public DateTimeOffset? Date { get; init; }

    public string? RetryAfter { get; init; }

    public string? Tag { get; init; }

    /// <summary>It comes only then.</summary>
    public Task? After { get; init; }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Outpost.Client;

namespace Outpost.Tests.Unit.Client;

/// <summary>
/// A server that gives the answers of a script to requests for pages, one after the other. What comes after the last one
/// waits as a long poll does. The list of partitions is answered at any time.
/// </summary>
internal sealed class ScriptedFeed(params Func<HttpResponseMessage>[] script) : HttpMessageHandler
{
    public const string LogId = "k3v9x2ab";
    private readonly ConcurrentQueue<Func<HttpResponseMessage>> _script = new(script);
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();

    public TimeProvider Time { get; init; } = new HastyTime();

    public FeedReaderOptions Options { get; init; } = new();

    public IOffsetStore Store { get; init; } = new MemoryOffsetStore();

    /// <summary>What <c>GET /api/partitions</c> answers.</summary>
    public Func<HttpResponseMessage> Partitions { get; set; } = () => PartitionList(1);

    /// <summary>Handles an entry, after it was noted.</summary>
    public Func<FeedEntry, CancellationToken, Task> Handle { get; set; } = (_, _) => Task.CompletedTask;

    public ConcurrentQueue<FeedEntry> Entries { get; } = new();

    public ConcurrentQueue<FeedFault> Faults { get; } = new();

    public FeedReader Reader { get; private set; } = null!;

    /// <summary>Offsets of all entries that came to the handler.</summary>
    public IEnumerable<long> Handled => Entries.Select(entry => entry.Offset);

    /// <summary>Queries of all requests for pages.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    /// <summary>The offsets that were asked for.</summary>
    public IEnumerable<long> AskedOffsets =>
        Asked.Select(query => long.Parse(query.Split("offset=")[1].Split('&')[0], CultureInfo.InvariantCulture));

    /// <summary>Completes when the script is at its end and one more page is asked for.</summary>
    public Task Done => _done.Task.WaitAsync(TimeSpan.FromSeconds(30));

    public static FeedPosition Position(long offset) => new(LogId, 0, offset);

    /// <summary>Reads until the script is at its end, then stops in an orderly way; throws what the reader throws.</summary>
    public async Task ReadAsync()
    {
        var run = RunAsync();
        await Task.WhenAny(run, Done);
        Stop();
        await run;
    }

    public void Stop() => _stop.Cancel();

    /// <summary>Reads until stopped.</summary>
    public async Task RunAsync()
    {
        using var http = new HttpClient(this, disposeHandler: false) { BaseAddress = new Uri("http://feed.example/") };
        Reader = new FeedReader(http, Time, new Random(1), Options with { OnError = Faults.Enqueue });
        await Reader.RunAsync(
            Store,
            (entry, cancellationToken) =>
            {
                Entries.Enqueue(entry);
                return Handle(entry, cancellationToken);
            },
            _stop.Token);
    }

    public async Task<FeedException> FailAsync() => await Assert.ThrowsAsync<FeedException>(ReadAsync);

    /// <summary>Entries from an offset on, as the server gives them.</summary>
    public static Func<HttpResponseMessage> Page(long from, int count, long? next = null, long? head = null) =>
        Page([.. Enumerable.Range(0, count).Select(i => Entry(from + i))], next ?? from + count, head: head);

    public static Func<HttpResponseMessage> Page(IReadOnlyList<string> entries, long next, string log = LogId, long? head = null) => () =>
    {
        var response = Json($"[{string.Join(',', entries)}]");
        response.Headers.Add("Next-Offset", next.ToString(CultureInfo.InvariantCulture));
        response.Headers.Add("ETag", $"\"{log}.0.0.{next}.json\"");
        if (head is not null) response.Headers.Add("Outpost-Head", head.Value.ToString(CultureInfo.InvariantCulture));
        return response;
    };

    public static string Entry(
        long offset, string log = LogId, int partition = 0, string contentType = "application/json", string payload = "\"payload\":{\"step\":\"s\"}") =>
        string.Create(CultureInfo.InvariantCulture, $$"""
            {"partition":{{partition}},"offset":{{offset}},"id":"{{log}}-{{partition:D4}}-{{offset:D19}}","type":"Counted","contentType":"{{contentType}}",{{payload}},"timestamp":"2026-11-22T08:00:00.1234567Z","subject":"tally/a","version":1}
            """);

    public static HttpResponseMessage PartitionList(int count, string log = LogId, long oldest = 0, long head = 10)
    {
        var partitions = Enumerable.Range(0, count)
            .Select(p => string.Create(CultureInfo.InvariantCulture, $$"""{"partition":{{p}},"oldestOffset":{{oldest}},"headOffset":{{head}}}"""));
        return Json($$"""{"log":"{{log}}","partitions":[{{string.Join(',', partitions)}}]}""");
    }

    public static Func<HttpResponseMessage> Problem(HttpStatusCode status, string name, string members = "") => () =>
        Json($$"""{"type":"/api/problems/{{name}}","title":"t","status":{{(int)status}},"detail":"the detail"{{members}}}""", status);

    public static HttpResponseMessage Json(string body, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        if (request.RequestUri!.AbsolutePath == "/api/partitions") return Partitions();
        Assert.Equal("/api/events", request.RequestUri.AbsolutePath);
        _asked.Enqueue(request.RequestUri.Query);
        if (_script.TryDequeue(out var answer)) return answer();
        _done.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        throw new InvalidOperationException();
    }

    protected override void Dispose(bool disposing)
    {
        _stop.Dispose();
        base.Dispose(disposing);
    }
}

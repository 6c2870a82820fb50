using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Outpost.Tests.Integration.Telemetry;

/// <summary>A collector that takes OTLP over HTTP on a free port, and remembers what it was told.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private static readonly TimeSpan ToldWithin = TimeSpan.FromSeconds(90);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Instrument> _instruments = [];
    private readonly List<Span> _spans = [];
    private readonly List<LogLine> _lines = [];
    private readonly MemoryStream _received = new();
    private readonly WebApplication _app;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private OtlpCollector()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPost("/v1/metrics", request => TakeAsync(request, TakeMetrics));
        _app.MapPost("/v1/traces", request => TakeAsync(request, TakeSpans));
        _app.MapPost("/v1/logs", request => TakeAsync(request, TakeLines));
    }

    public string Address => _app.Urls.Single();

    /// <summary>Instruments of the meter, by name.</summary>
    public IReadOnlyDictionary<string, Instrument> Instruments
    {
        get
        {
            lock (_lock) return new Dictionary<string, Instrument>(_instruments);
        }
    }

    public IReadOnlyList<Span> Spans
    {
        get
        {
            lock (_lock) return [.. _spans];
        }
    }

    public IReadOnlyList<LogLine> Lines
    {
        get
        {
            lock (_lock) return [.. _lines];
        }
    }

    /// <summary>Everything it was told, as it came.</summary>
    public byte[] Received
    {
        get
        {
            lock (_lock) return _received.ToArray();
        }
    }

    public static async Task<OtlpCollector> StartAsync()
    {
        var collector = new OtlpCollector();
        await collector._app.StartAsync();
        return collector;
    }

    /// <summary>Waits until it was told enough; null when it was, else what <paramref name="missing"/> says in the end.</summary>
    public async Task<string?> UntilAsync(Func<OtlpCollector, string?> missing)
    {
        using var deadline = new CancellationTokenSource(ToldWithin);
        while (true)
        {
            Task more;
            lock (_lock) more = _more.Task;
            if (missing(this) is not { } lacking) return null;
            try
            {
                await more.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                return lacking;
            }
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext http, Action<OtlpMessage> take)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var message = new OtlpMessage(body.ToArray());
        lock (_lock)
        {
            take(message);
            body.WriteTo(_received);
            _more.SetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        // An empty body is an empty ExportServiceResponse: all of it was accepted.
        http.Response.ContentType = "application/x-protobuf";
    }

    private void TakeMetrics(OtlpMessage request)
    {
        const int Gauge = 5, Sum = 7, Histogram = 9, NumberAttributes = 7, HistogramAttributes = 9;
        foreach (var metric in request.All(1, 2, 2))
        {
            var points = metric.All(Gauge, 1).Concat(metric.All(Sum, 1)).Select(point => point.Attributes(NumberAttributes))
                .Concat(metric.All(Histogram, 1).Select(point => point.Attributes(HistogramAttributes)));
            var before = _instruments.GetValueOrDefault(metric.Text(1)) ?? new Instrument(metric.Text(3), []);
            _instruments[metric.Text(1)] = before with { Dimensions = [.. before.Dimensions.Union(points.SelectMany(point => point.Keys))] };
        }
    }

    private void TakeSpans(OtlpMessage request)
    {
        foreach (var scope in request.All(1, 2))
        {
            var source = scope.All(1).Single().Text(1);
            _spans.AddRange(scope.All(2).Select(span => new Span(
                source, span.Text(5), span.Hex(1), span.Hex(2), span.Hex(4), span.Attributes(9),
                [.. span.All(13).Select(link => new SpanLink(link.Hex(1), link.Hex(2)))])));
        }
    }

    private void TakeLines(OtlpMessage request)
    {
        foreach (var scope in request.All(1, 2))
            _lines.AddRange(scope.All(2).Select(line => new LogLine(scope.All(1).Single().Text(1), line.All(5).Single().Text(1), line.Hex(9))));
    }
}

internal sealed record Instrument(string Unit, string[] Dimensions);

internal sealed record Span(
    string Source, string Name, string TraceId, string SpanId, string ParentId, Dictionary<string, string> Tags, SpanLink[] Links);

internal sealed record SpanLink(string TraceId, string SpanId);

internal sealed record LogLine(string Category, string Text, string TraceId);

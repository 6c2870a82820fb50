using System.Text.Json;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Outpost.Forwarding;
using Outpost.AzureFunctions;
using Outpost.AspNetCore;

namespace Outpost.Tests.Unit.Telemetry;

/// <summary>
/// The real exporter, set up as the app does, against an ingestion endpoint of this test's. What came is kept in
/// tests/Integration/infra/azure-monitor.json, and the queries of workbook, alarms and docs are tested against that file.
/// </summary>
[Collection(nameof(Where_telemetry_goes))]
public sealed class What_Azure_Monitor_is_sent
{
    private const string Kept = "tests/Integration/infra/azure-monitor.json";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    [Fact]
    public async Task Is_what_the_tests_of_the_queries_rely_on()
    {
        var rows = await SentAsync();

        var schema = Schema(rows).ReplaceLineEndings("\n") + "\n";

        var file = Path.Combine(Docs.DocPage.Root(), Kept);
        if (Environment.GetEnvironmentVariable("OUTPOST_KEEP") is not null) await File.WriteAllTextAsync(file, schema);
        Assert.Equal(await File.ReadAllTextAsync(file), schema);
    }

    [Fact]
    public async Task Is_an_exception_and_no_trace_where_a_line_has_one()
    {
        var rows = await SentAsync();

        var exception = Assert.Single(rows, row => Type(row) == "ExceptionData").GetProperty("data").GetProperty("baseData");
        Assert.Equal("20", exception.GetProperty("properties").GetProperty("EventId").GetString());
        Assert.Equal("{Method} {Path} failed", exception.GetProperty("properties").GetProperty("OriginalFormat").GetString());
        Assert.DoesNotContain(rows, row => Type(row) == "MessageData" && row.GetRawText().Contains("{Path} failed", StringComparison.Ordinal));
    }

    private static string Type(JsonElement row) => row.GetProperty("data").GetProperty("baseType").GetString()!;

    private static async Task<IReadOnlyList<JsonElement>> SentAsync()
    {
        await using var endpoint = await AzureMonitorIngestion.StartAsync();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging();
        services.AddTelemetry(new TelemetrySettings(new MonitorConnection(endpoint.ConnectionString, ByIdentity: false, ClientId: null), HasOtlp: false));
        // By default the exporter lets a few traces a second through, by chance: in a quick run that may be none.
        services.Configure<AzureMonitorExporterOptions>(options => (options.TracesPerSecond, options.SamplingRatio) = (null, 1));
        await using (var app = services.BuildServiceProvider())
        {
            // One of them gives the exporter to spans and lines.
            foreach (var service in app.GetServices<IHostedService>()) await service.StartAsync(CancellationToken.None);
            var metrics = app.GetRequiredService<MeterProvider>();
            var traces = app.GetRequiredService<TracerProvider>();
            using var outpost = new OutpostMetrics();
            await SayAsync(app.GetRequiredService<ILoggerFactory>());
            Measure(outpost);
            Trace();
            Assert.True(metrics.ForceFlush() & traces.ForceFlush() & app.GetRequiredService<LoggerProvider>().ForceFlush());
        }

        return endpoint.Rows;
    }

    private static async Task SayAsync(ILoggerFactory loggers)
    {
        new ForwardingLog(loggers.CreateLogger<ForwardingEngine>(), TimeProvider.System).Waits("servicebus", 1, "busy");
        var boundary = new FaultBoundary(loggers.CreateLogger<FaultBoundary>(), TimeProvider.System);
        var http = new DefaultHttpContext { Request = { Method = "GET", Path = "/api/orders/1" } };
        await boundary.RunAsync(http.Request, () => throw new InvalidOperationException("broken"), CancellationToken.None);
    }

    private static void Measure(OutpostMetrics outpost)
    {
        outpost.Command("failed");
        outpost.Committed(1, TimeSpan.FromMilliseconds(20));
        outpost.RaceLost(1);
        outpost.StorageRequest("query", 503);
        outpost.ClockSkew(TimeSpan.Zero);
        outpost.Run();
        outpost.Deleted("event", 3);
        outpost.RetentionHeld(1, isHeld: true);
        outpost.Forwarded(new Forwarder("servicebus", new RecordingTarget()), 1, [Entry], 1, Entry.Timestamp.AddDays(1), isReplay: false);
        outpost.Failed("servicebus", "ServiceBusy");
        outpost.LeaseTakenOver("servicebus");
        outpost.Stands(new ForwarderStanding("servicebus", 1, 7, 2, TimeSpan.FromSeconds(3), 1, 1, false, null, "away", 1, null));
    }

    private static void Trace()
    {
        using var command = CommandSpan.Start(Tallies.Count("a", "a1"), null);
        using var forward = ForwardingContext.StartForward("servicebus", [Entry]);
    }

    private static EventEntry Entry { get; } = new(
        new EventId("k3v9x2ab", 1, 7), "OrderPlaced", "application/json", default, DateTimeOffset.UnixEpoch, "order/a", 1, null, null);

    /// <summary>Tables as Application Insights makes them of rows: what each has in customDimensions, and under which name.</summary>
    private static string Schema(IEnumerable<JsonElement> rows)
    {
        var tables = new SortedDictionary<string, SortedDictionary<string, SortedSet<string>>>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            var data = row.GetProperty("data").GetProperty("baseData");
            foreach (var (table, name) in Places(Type(row), data))
            {
                if (!tables.TryGetValue(table, out var names)) tables[table] = names = new(StringComparer.Ordinal);
                if (!names.TryGetValue(name, out var dimensions)) names[name] = dimensions = new(StringComparer.Ordinal);
                if (data.TryGetProperty("properties", out var properties)) dimensions.UnionWith(properties.EnumerateObject().Select(each => each.Name));
            }
        }

        return JsonSerializer.Serialize(tables, Indented);
    }

    private static IEnumerable<(string Table, string Name)> Places(string type, JsonElement data) => type switch
    {
        "MetricData" => data.GetProperty("metrics").EnumerateArray().Select(metric => metric.GetProperty("name").GetString()!)
            .Where(name => name.StartsWith("outpost.", StringComparison.Ordinal)).Select(name => ("customMetrics", name)),
        "RemoteDependencyData" => [("dependencies", data.GetProperty("name").GetString()!)],
        "RequestData" => [("requests", data.GetProperty("name").GetString()!)],
        "MessageData" => [("traces", Category(data))],
        "ExceptionData" => [("exceptions", Category(data))],
        _ => [],
    };

    private static string Category(JsonElement data) => data.GetProperty("properties").GetProperty("CategoryName").GetString()!;
}

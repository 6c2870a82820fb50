using Azure.Data.Tables;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Orders;
using Outpost.Tables;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Telemetry;

/// <summary>
/// The app as a process of its own, with settings that send everything to a collector, on a log that has something for
/// each instrument: entries of three days ago, a lease whose holder died, and a topic that is busy at first.
/// </summary>
public sealed class ExportingApp : IAsyncLifetime
{
    /// <summary>The caller's trace and span.</summary>
    public const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    public const string CallerSpanId = "b7ad6b7169203331";

    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(60);
    private readonly ConcurrentQueue<string> _printed = new();
    private Process? _process;

    /// <summary>What it wrote to its console.</summary>
    public IEnumerable<string> Printed => _printed;

    internal HttpClient Http { get; private set; } = null!;

    internal OtlpCollector Collector { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Collector = await OtlpCollector.StartAsync();
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.Busy, times: 2);
        var table = await PreparedTableAsync();
        var address = await StartAsync(new Dictionary<string, string>
        {
            ["TableStorage"] = await Azurite.ConnectionStringAsync(),
            ["Outpost__TableName"] = table.Name,
            ["ServiceBus"] = await ServiceBusEmulator.ConnectionStringAsync(),
            ["Forwarder__Topic"] = topic,
            ["FORWARDER_SCHEDULE"] = "* * * * * *",
            ["Forwarder__LingerSeconds"] = "0",
            ["Retention__Days"] = "1",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Collector.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "orders",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "200",
        });
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null }) { BaseAddress = address };
        await PlaceAsync(Http, "traced", $"00-{TraceId}-{CallerSpanId}-01");
        // The app does not know of it, and loses its race with the next one.
        await PlaceBesideAsync(table, "beside");
        await PlaceAsync(Http, "untraced", null);
        await GrowAsync(table);
    }

    // Some of the orders that are not there would be in the new partition, so they are looked for in the old one as well.
    private async Task GrowAsync(TableClient table)
    {
        await new LogGrowth(table, new StoreClock(TestLog.Sources.Time, NullLogger<StoreClock>.Instance), TestLog.Sources).GrowAsync(2, null, CancellationToken.None);
        for (var order = 0; order < 8; order++)
        {
            using var answer = await Http.GetAsync($"api/orders/none-{order}");
            Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        Http?.Dispose();
        await Collector.DisposeAsync();
    }

    private static async Task<TableClient> PreparedTableAsync()
    {
        // No answer of the store's tells this one's clock that it is three days late.
        var table = await Azurite.NewTableAsync();
        await PlaceBesideAsync(table, "old", new OffTime(TimeSpan.FromDays(-3)), new Idempotency("place", "old", "same"));
        var holder = new Checkpoint { Forwarder = "servicebus", NextOffset = 0, Owner = "died" };
        Assert.NotNull(await new TableForwardingStore(table, TestLog.Sources).SaveAsync(0, holder, [], [], CancellationToken.None));
        return table;
    }

    private static async Task PlaceBesideAsync(TableClient table, string orderId, TimeProvider? time = null, Idempotency? idempotency = null)
    {
        var sources = TestLog.Sources with { Time = time ?? TestLog.Sources.Time };
        await using var store = new TableEventStore(table, 1, new StoreClock(sources.Time, NullLogger<StoreClock>.Instance), sources, NullLogger.Instance);
        await new EventLog(store, sources.Time).ExecuteAsync(
            new Command<Order>
            {
                Entity = OrderDecisions.Entity,
                EntityId = orderId,
                Decide = order => OrderDecisions.Place(order, orderId, "c1", [new OrderLine("a", 1, 1m)]),
                Idempotency = idempotency,
            },
            CancellationToken.None);
    }

    private async Task<Uri> StartAsync(Dictionary<string, string> settings)
    {
        const string Ready = "Ready: ";
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Outpost.LocalHost.dll"), "--root", LocalHost.HostProcess.Folder("src", "Functions"), "--port", "0", "--exit-with-stdin"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings) start.Environment[name] = value;
        _process = Process.Start(start)!;
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Take(string? line)
        {
            if (line is null) return;
            _printed.Enqueue(line);
            if (line.StartsWith(Ready, StringComparison.Ordinal)) ready.TrySetResult(line[Ready.Length..]);
        }

        _process.OutputDataReceived += (_, e) => Take(e.Data);
        _process.ErrorDataReceived += (_, e) => Take(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        if (await Task.WhenAny(ready.Task, _process.WaitForExitAsync()).WaitAsync(StartsWithin) == ready.Task) return new Uri(await ready.Task);
        throw new InvalidOperationException($"The app did not start: {string.Join('\n', Printed)}");
    }

    private static async Task PlaceAsync(HttpClient http, string orderId, string? traceParent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders")
        {
            Content = JsonContent.Create(new { orderId, customerId = "c1", lines = new[] { new { sku = "a", quantity = 1, unitPrice = 1 } } }),
        };
        if (traceParent is not null) request.Headers.Add("traceparent", traceParent);
        using var response = await http.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }
}

/// <summary>One app for all who look at what it tells.</summary>
[CollectionDefinition(nameof(ExportingApp))]
public sealed class One_exporting_app : ICollectionFixture<ExportingApp>;

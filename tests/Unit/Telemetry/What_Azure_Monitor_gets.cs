using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Outpost.Functions;
using Outpost.Http;
using Outpost.Tests.Unit.Http;

namespace Outpost.Tests.Unit.Telemetry;

/// <summary>
/// The real exporter's output, at an ingestion endpoint of this test: what the queries of workbook and docs can ask for. A line
/// with an exception is a row of <c>exceptions</c>, any other one of <c>traces</c>.
/// </summary>
public sealed class What_Azure_Monitor_gets
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Is_a_trace_for_a_line_and_an_exception_for_a_line_that_has_one()
    {
        await using var ingestion = await Ingestion.StartAsync();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTelemetry(new TelemetrySettings(new MonitorConnection(ingestion.ConnectionString, ByIdentity: false, ClientId: null), HasOtlp: false));
        using var host = builder.Build();
        await host.StartAsync();
        var services = host.Services;
        var boundary = new FaultBoundary(services.GetRequiredService<ILogger<FaultBoundary>>(), TimeProvider.System);
        var problems = new StoreProblems(TimeProvider.System, services.GetRequiredService<ILogger<StoreProblems>>());

        await boundary.RunAsync(Asking.Request("/api/orders/o-1"), () => throw new InvalidOperationException("It is broken."), CancellationToken.None);
        problems.Damaged(new DamagedRowException("0000", "!head", "Next", "is missing", "outpost"));
        // Also sends what waits.
        await host.StopAsync();
        host.Dispose();

        var exception = await ingestion.ItemAsync("ExceptionData", "Outpost.Http.FaultBoundary").WaitAsync(Patience);
        var message = await ingestion.ItemAsync("MessageData", "Outpost.StoreProblems").WaitAsync(Patience);
        Assert.Equal("It is broken.", exception.GetProperty("exceptions")[0].GetProperty("message").GetString());
        Assert.Equal(("20", "{Method} {Path} failed", "/api/orders/o-1"), (Property(exception, "EventId"), Property(exception, "OriginalFormat"), Property(exception, "Path")));
        Assert.StartsWith("Damaged row", message.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("23", Property(message, "EventId"));
        // By these the queries find the app's own lines.
        Assert.Equal(("Outpost.Http.FaultBoundary", "Outpost.StoreProblems"), (Property(exception, "CategoryName"), Property(message, "CategoryName")));
        Assert.Equal(("Error", "Error"), (exception.GetProperty("severityLevel").GetString(), message.GetProperty("severityLevel").GetString()));
    }

    private static string? Property(JsonElement item, string name) =>
        item.GetProperty("properties").TryGetProperty(name, out var value) ? value.GetString() : null;

    private sealed class Ingestion : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonElement>> _items = new();
        private readonly WebApplication _app;

        private Ingestion()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            _app = builder.Build();
            _app.MapPost("/v2.1/track", TakeAsync);
        }

        public string ConnectionString => $"InstrumentationKey={Guid.NewGuid()};IngestionEndpoint={_app.Urls.Single()}/;LiveEndpoint={_app.Urls.Single()}/";

        public static async Task<Ingestion> StartAsync()
        {
            var ingestion = new Ingestion();
            await ingestion._app.StartAsync();
            return ingestion;
        }

        /// <summary>The first item of a kind, of a category of lines.</summary>
        public Task<JsonElement> ItemAsync(string baseType, string category) => First($"{baseType} {category}").Task;

        public async ValueTask DisposeAsync() => await _app.DisposeAsync();

        private TaskCompletionSource<JsonElement> First(string key) =>
            _items.GetOrAdd(key, _ => new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously));

        private async Task TakeAsync(HttpContext http)
        {
            Stream body = http.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(http.Request.Body, CompressionMode.Decompress) : http.Request.Body;
            using var lines = new StreamReader(body);
            var count = 0;
            while (await lines.ReadLineAsync() is { } line)
            {
                count++;
                var data = JsonDocument.Parse(line).RootElement.GetProperty("data");
                var item = data.GetProperty("baseData");
                var category = item.TryGetProperty("properties", out _) ? Property(item, "CategoryName") : null;
                First($"{data.GetProperty("baseType")} {category}").TrySetResult(item);
            }

            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync($$"""{"itemsReceived":{{count}},"itemsAccepted":{{count}},"errors":[]}""");
        }
    }
}

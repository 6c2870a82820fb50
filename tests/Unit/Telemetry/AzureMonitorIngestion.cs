using System.IO.Compression;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Outpost.Tests.Unit.Telemetry;

/// <summary>Azure Monitor's ingestion endpoint on a free port: accepts everything, and remembers each row it was sent.</summary>
internal sealed class AzureMonitorIngestion : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly List<JsonElement> _rows = [];
    private readonly WebApplication _app;

    private AzureMonitorIngestion()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapPost("/v2.1/track", TakeAsync);
    }

    public string ConnectionString => $"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={_app.Urls.Single()}/;LiveEndpoint={_app.Urls.Single()}/";

    public IReadOnlyList<JsonElement> Rows
    {
        get
        {
            lock (_lock) return [.. _rows];
        }
    }

    public static async Task<AzureMonitorIngestion> StartAsync()
    {
        var endpoint = new AzureMonitorIngestion();
        await endpoint._app.StartAsync();
        return endpoint;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        var isZipped = http.Request.Headers.ContentEncoding.Contains("gzip");
        using var reader = new StreamReader(isZipped ? new GZipStream(http.Request.Body, CompressionMode.Decompress) : http.Request.Body);
        var count = 0;
        foreach (var line in (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var row = JsonDocument.Parse(line);
            lock (_lock) _rows.Add(row.RootElement.Clone());
            count++;
        }

        await http.Response.WriteAsJsonAsync(new { itemsReceived = count, itemsAccepted = count, errors = Array.Empty<string>() });
    }
}

using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Outpost.Tests.EndToEnd;

/// <summary>The app over HTTP, and as a process.</summary>
internal sealed class RunningApp(ChildProcess process, Uri address) : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };

    public ChildProcess Process { get; } = process;

    public HttpClient Http => _http;

    /// <summary>The worker process that the host runs, in which the app's code is.</summary>
    public int WorkerId() => Directory.GetDirectories($"/proc/{Process.Id}/task")
        .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(id => int.Parse(id, CultureInfo.InvariantCulture))
        .Single();

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Process.DisposeAsync();
    }

    public Task<HttpResponseMessage> PostAsync(string path, string? json, string? key = null, string? ifMatch = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.Add("Idempotency-Key", $"\"{key}\"");
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return _http.SendAsync(request);
    }

    public Task<HttpResponseMessage> PlaceAsync(string id, string? key = null) => PostAsync(
        "/api/orders", $$"""{"orderId":"{{id}}","customerId":"c1","lines":[{"sku":"a","quantity":2,"unitPrice":9.5}]}""", key);

    public Task<HttpResponseMessage> CancelAsync(string id, string? key = null) =>
        PostAsync($"/api/orders/{id}/cancel", """{"reason":"changed my mind"}""", key);

    /// <summary>The whole feed of a partition, followed by Next-Offset until there is no more.</summary>
    public async Task<List<JsonElement>> FeedAsync(int partition = 0, int limit = 1000)
    {
        var all = new List<JsonElement>();
        for (var offset = 0L; ;)
        {
            using var response = await _http.GetAsync($"/api/events?partition={partition}&offset={offset}&limit={limit}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var page = await response.Content.ReadFromJsonAsync<JsonElement[]>();
            if (page!.Length == 0) return all;
            all.AddRange(page);
            offset = long.Parse(response.Headers.GetValues("Next-Offset").Single(), System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Waits until every forwarder has brought everything to its target.</summary>
    public async Task ForwardedAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var status = await _http.GetFromJsonAsync<JsonElement>("/api/status", patience.Token);
            var backlog = status.GetProperty("forwarders").EnumerateArray()
                .SelectMany(forwarder => forwarder.GetProperty("partitions").EnumerateArray())
                .Sum(partition => partition.GetProperty("backlog").GetInt64());
            if (backlog == 0) return;
            await Task.Delay(100, patience.Token);
        }
    }

    public async Task<long> HeadAsync(int partition = 0)
    {
        var partitions = await _http.GetFromJsonAsync<JsonElement>("/api/partitions");
        return partitions.GetProperty("partitions")[partition].GetProperty("headOffset").GetInt64();
    }
}

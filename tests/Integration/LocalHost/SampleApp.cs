using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;

namespace Outpost.Tests.Integration.LocalHost;

internal sealed class SampleApp(Signals signals, IConfiguration configuration)
{
    [Function("Setting")]
    public IResult Setting(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "settings/{name}")] HttpRequest request,
        string name) => Results.Text(configuration[name] ?? "none");

    [Function("Length")]
    public async Task<IResult> Length(
        [HttpTrigger(AuthorizationLevel.Function, "post", "put", Route = "length")] HttpRequest request,
        CancellationToken cancellation)
    {
        signals.Entered.Set();
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellation);
        return Results.Text($"{body.Length}");
    }

    /// <summary>Notices a cancellation, and stays until the test lets it go.</summary>
    [Function("Stay")]
    public async Task<IResult> Stay(
        [HttpTrigger(AuthorizationLevel.Admin, "get")] HttpRequest request, CancellationToken cancellation)
    {
        await using var noticed = cancellation.Register(() => signals.Cancelled.Set());
        signals.Entered.Set();
        await signals.Leave.Wait();
        signals.Left.Set();
        return Results.Text("stayed");
    }

    [Function("Tick")]
    public async Task Tick(
        [TimerTrigger("%Tick__Schedule%", RunOnStartup = true)] TimerInfo timer, CancellationToken cancellation)
    {
        if (configuration["Tick:Stays"] is null)
            return;
        await using var noticed = cancellation.Register(() => signals.Cancelled.Set());
        signals.Entered.Set();
        await signals.Leave.Wait();
        signals.Left.Set();
    }
}

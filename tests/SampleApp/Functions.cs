using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Outpost.Tests.SampleApp;

/// <summary>Functions that do what tests of the host ask for. They tell where they are by lines on the console.</summary>
public sealed class Functions(IConfiguration configuration, ILogger<Functions> logger)
{
    [Function("Setting")]
    public IResult Setting([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "settings/{name}")] HttpRequest request, string name) =>
        Results.Text(configuration[name] ?? "none");

    [Function("Header")]
    public static IResult Header([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "headers/{name}")] HttpRequest request, string name) =>
        Results.Text(request.Headers[name].ToString());

    [Function("Length")]
    public static async Task<IResult> LengthAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", "put", Route = "length")] HttpRequest request, CancellationToken cancellation)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellation);
        return Results.Text($"{body.Length}");
    }

    [Function("Action")]
    public static IActionResult Action([HttpTrigger(AuthorizationLevel.Function, "get", Route = "action/{number:int}")] HttpRequest request, int number) =>
        new ObjectResult(number) { StatusCode = 202 };

    [Function("Throws")]
    public static IResult Throws([HttpTrigger(AuthorizationLevel.Function, "get", Route = "throws")] HttpRequest request) =>
        throw new InvalidOperationException("This function always fails.");

    [Function("Logs")]
    public IResult Logs([HttpTrigger(AuthorizationLevel.Function, "get", Route = "logs/{text}")] HttpRequest request, string text)
    {
        logger.LogWarning("Said inside a run: {Text}", text);
        return Results.Ok();
    }

    [Function("Dies")]
    public static IResult Dies([HttpTrigger(AuthorizationLevel.Function, "post", Route = "dies")] HttpRequest request)
    {
        Environment.Exit(7);
        return Results.Ok();
    }

    [Function("Stay")]
    public async Task<IResult> StayAsync([HttpTrigger(AuthorizationLevel.Admin, "get", Route = "stay")] HttpRequest request, CancellationToken cancellation)
    {
        await StayAsync("request", cancellation);
        return Results.Text("stayed");
    }

    [Function("Tick")]
    public async Task TickAsync([TimerTrigger("%TICK_SCHEDULE%", RunOnStartup = true)] TimerInfo timer, CancellationToken cancellation)
    {
        Console.WriteLine($"tick past due {timer.IsPastDue}");
        if (configuration["TICK_STAYS"] is not null) await StayAsync("tick", cancellation);
    }

    // Notices a cancellation, and stays until the test makes the file.
    private async Task StayAsync(string who, CancellationToken cancellation)
    {
        await using var noticed = cancellation.Register(() => Console.WriteLine($"{who} cancelled"));
        Console.WriteLine($"{who} entered");
        while (!File.Exists(configuration["LEAVE_FILE"])) await Task.Delay(20, CancellationToken.None);
        Console.WriteLine($"{who} left");
    }
}

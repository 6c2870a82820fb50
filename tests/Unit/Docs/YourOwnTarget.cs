using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;
using Outpost.Orders;

namespace Outpost.Tests.Unit.Docs;

// The code of docs/your-own-target.md, between marks of the same names.

// <handler>
public sealed class WelcomeHandler(HttpClient mail) : IEventHandler<OrderPlaced>
{
    public async Task HandleAsync(OrderPlaced payload, EventEntry entry, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://mail.example/send");
        request.Headers.Add("Idempotency-Key", entry.Id.ToString());
        request.Content = new StringContent($"Thank you for order {payload.OrderId}.");
        using var answer = await mail.SendAsync(request, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.BadRequest)
            throw new PermanentFailureException($"No mail can be sent to {payload.CustomerId}.");
        answer.EnsureSuccessStatusCode();
    }
}
// </handler>

internal static class WelcomeMails
{
    // <register>
    public static OutpostBuilder AddWelcomeMails(this OutpostBuilder outpost)
    {
        outpost.Services.AddHttpClient<WelcomeHandler>();
        return outpost.AddHandler<OrderPlaced, WelcomeHandler>("welcome-mails", within: TimeSpan.FromMinutes(5));
    }
    // </register>
}

// <target>
public sealed class WebHookTarget(HttpClient hook, Uri address, string publicUrl) : IForwardTarget
{
    private const int AtOnce = 100;
    private const int Patience = 5;

    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(TimeSpan.FromSeconds(Patience));
        try
        {
            var some = entries.Take(AtOnce).ToList();
            var status = await PostAsync(some.Select(entry => CloudEvent(entry, replay, entry.Payload)), end.Token);
            // One that is too large by itself goes as a reference to its payload.
            if (status == HttpStatusCode.RequestEntityTooLarge && some is [var entry])
                status = await PostAsync([CloudEvent(entry, replay, payload: null)], end.Token);
            return (int)status switch
            {
                >= 200 and < 300 => new Delivery.Accepted(some.Count),
                400 or 413 or 422 => new Delivery.Refused(some.Count, $"The web hook answered {(int)status}."),
                _ => Failed(new HttpRequestException($"The web hook answered {(int)status}."), isTransient: (int)status is 408 or 429 or >= 500),
            };
        }
        catch (HttpRequestException e)
        {
            return Failed(e, isTransient: true);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed(new TimeoutException($"The web hook did not answer within {Patience} s.", e), isTransient: true);
        }
    }

    private static Delivery.Failed Failed(Exception cause, bool isTransient) => new(cause, isTransient);

    private async Task<HttpStatusCode> PostAsync(IEnumerable<JsonObject> events, CancellationToken end)
    {
        using var body = new StringContent(new JsonArray([.. events]).ToJsonString(), Encoding.UTF8, "application/cloudevents-batch+json");
        using var answer = await hook.PostAsync(address, body, end);
        return answer.StatusCode;
    }

    private JsonObject CloudEvent(EventEntry entry, string? replay, ReadOnlyMemory<byte>? payload)
    {
        var attributes = new JsonObject
        {
            ["specversion"] = "1.0",
            ["id"] = entry.Id.ToString(),
            ["source"] = "/outpost",
            ["type"] = entry.Type,
            ["subject"] = entry.Subject,
            ["time"] = entry.Timestamp.ToString("O"),
            ["sequence"] = entry.Offset.ToString("D19"),
            ["partitionkey"] = entry.Partition.ToString("D4"),
            ["datacontenttype"] = entry.ContentType,
        };
        if (entry.TraceParent is { } traceParent) attributes["traceparent"] = traceParent;
        if (replay is not null) attributes["replay"] = replay;
        if (payload is { } bytes) attributes["data_base64"] = Convert.ToBase64String(bytes.Span);
        else attributes["dataref"] = $"{publicUrl}/api/events/{entry.Id}/data";
        return attributes;
    }
}
// </target>

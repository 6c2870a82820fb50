using System.Net;
using System.Text;
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
    public static Forwarder Register(WelcomeHandler handler, TimeProvider time) =>
        new("welcome-mails", new HandlerTarget<OrderPlaced>(handler, OrdersJson.Default.OrderPlaced, new HandlerOptions(), time))
        {
            StartAt = StartAt.Head,
            Within = TimeSpan.FromMinutes(5),
        };
    // </register>
}

// <target>
public sealed class WebHookTarget(HttpClient hook) : IForwardTarget
{
    private const int AtOnce = 100;

    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        var some = entries.Take(AtOnce).ToList();
        var lines = some.Select(entry => $"{entry.Id} {Encoding.UTF8.GetString(entry.Payload.Span)}");
        using var body = new StringContent(string.Join('\n', lines));
        using var answer = await hook.PostAsync(new Uri("https://hook.example/events"), body, cancellationToken);
        return answer.StatusCode switch
        {
            HttpStatusCode.OK => new Delivery.Accepted(some.Count),
            HttpStatusCode.UnprocessableEntity => new Delivery.Refused(some.Count, "The web hook refuses it."),
            var status => new Delivery.Failed(new HttpRequestException($"The web hook answered {(int)status}."), IsTransient: (int)status >= 500),
        };
    }
}
// </target>

using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;
using Outpost.Orders;

namespace Outpost.Functions;

/// <summary>
/// Pays a customer back when a paid order is cancelled. The refund follows within some minutes, so it neither slows
/// cancelling down nor makes it fail. The event id is the idempotency key, so the payment service pays once, however
/// often the handler runs.
/// </summary>
public sealed class RefundHandler(HttpClient payments) : IEventHandler<OrderCancelled>
{
    /// <summary>How late a refund may be.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    public async Task HandleAsync(OrderCancelled payload, EventEntry entry, CancellationToken cancellationToken)
    {
        if (payload.RefundDue == 0) return;
        using var request = new HttpRequestMessage(HttpMethod.Post, "refunds");
        request.Content = JsonContent.Create(new Refund(payload.OrderId, payload.CustomerId, payload.RefundDue), RefundJson.Default.Refund);
        request.Headers.Add("Idempotency-Key", $"\"{entry.Id}\"");
        using var answer = await payments.SendAsync(request, cancellationToken);
        // The service knows this order and says no. Another try would not help; somebody has to look.
        if (answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity)
            // The same cause gives the same text, because operators decide about parked entries in groups of one reason.
            throw new PermanentFailureException($"The payment service refused the refund: {(int)answer.StatusCode}.");
        answer.EnsureSuccessStatusCode();
    }
}

/// <summary>Adds the handler where a payment service is set.</summary>
internal static class Refunds
{
    private const string Url = "Payments__Url";

    /// <exception cref="InvalidSettingException">The setting is no URL.</exception>
    public static OutpostBuilder AddRefunds(this OutpostBuilder outpost, IConfiguration configuration)
    {
        var read = new SettingReader(configuration);
        if (read.OptionalText(Url) is not { } text) return outpost;
        var url = read.Text(Url, text, "an absolute http or https URL", value => Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https");
        outpost.Services.AddHttpClient<RefundHandler>(client => client.BaseAddress = new Uri($"{url.TrimEnd('/')}/"));
        return outpost.AddHandler<OrderCancelled, RefundHandler>("refunds", RefundHandler.Within);
    }
}

/// <summary>The body of a request to the payment service.</summary>
internal sealed record Refund(string OrderId, string CustomerId, decimal Amount);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Refund))]
internal sealed partial class RefundJson : JsonSerializerContext;

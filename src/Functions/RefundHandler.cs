using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;
using Outpost.Orders;

namespace Outpost.Functions;

/// <summary>
/// When an order that was paid is cancelled, its money goes back: within some minutes, and without slowing cancelling
/// down or failing it. The payment service is called once per event however often this runs: the event id is the key.
/// </summary>
public sealed class RefundHandler(HttpClient payments) : IEventHandler<OrderCancelled>
{
    /// <summary>At the latest by.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    public async Task HandleAsync(OrderCancelled payload, EventEntry entry, CancellationToken cancellationToken)
    {
        if (payload.RefundDue == 0) return;
        using var request = new HttpRequestMessage(HttpMethod.Post, "refunds");
        request.Content = JsonContent.Create(new Refund(payload.OrderId, payload.CustomerId, payload.RefundDue), RefundJson.Default.Refund);
        request.Headers.Add("Idempotency-Key", $"\"{entry.Id}\"");
        using var answer = await payments.SendAsync(request, cancellationToken);
        // The service knows this order and says no: asking again would not help, somebody has to look.
        if (answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity)
            // The same text for the same cause: operators decide about entries in groups of one reason.
            throw new PermanentFailureException($"The payment service refused the refund: {(int)answer.StatusCode}.");
        answer.EnsureSuccessStatusCode();
    }
}

/// <summary>Adds the handler where there is a payment service.</summary>
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

/// <summary>What the payment service is asked for.</summary>
internal sealed record Refund(string OrderId, string CustomerId, decimal Amount);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Refund))]
internal sealed partial class RefundJson : JsonSerializerContext;

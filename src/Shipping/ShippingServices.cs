using Azure.Data.Tables;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Client;

namespace Outpost.Shipping;

/// <summary>Adds what this service reads and whom it tells, as the settings <c>Orders__…</c> say.</summary>
internal static class ShippingServices
{
    private const string PositionsTable = "shippingpositions";

    /// <exception cref="InvalidSettingException">A setting is missing, or has a value that is not allowed.</exception>
    public static OutpostBuilder AddShipping(this OutpostBuilder outpost, IConfiguration configuration)
    {
        var read = new SettingReader(configuration);
        var url = new Uri($"{read.Text("Orders__Url", "", "an absolute http or https URL", IsUrl).TrimEnd('/')}/");
        var key = read.OptionalText("Orders__Key");
        var from = read.Text("Orders__From", "bus", "bus or feed", value => value is "bus" or "feed");
        outpost.Services.AddHttpClient<ShippedOrders>(client =>
        {
            client.BaseAddress = url;
            if (key is not null) client.DefaultRequestHeaders.Add("x-functions-key", key);
        });
        outpost.AddHandler<ShipmentSent, ShippedOrders>("orders", ShippedOrders.Within);
        if (from == "bus") outpost.Services.AddBus(read, url, key);
        else outpost.Services.AddFeed(read, url, key);
        return outpost;
    }

    private static void AddBus(this IServiceCollection services, SettingReader read, Uri url, string? key)
    {
        var client = new ServiceBusClient(read.Text("ServiceBus", "", "a connection string", value => value.Length > 0));
        services.AddOutpostConsumer<PaidOrders>("orders", _ => new ServiceBusSource(client, "events", "orders"), consumer =>
        {
            (consumer.Address, consumer.Key) = (url, key);
            consumer.IsTransient = e => e is StoreUnavailableException;
        });
    }

    private static void AddFeed(this IServiceCollection services, SettingReader read, Uri url, string? key)
    {
        var table = new TableClient(read.Text("TableStorage", "", "a connection string", value => value.Length > 0), PositionsTable);
        services.AddOutpostFeedReader<PaidOrders>("orders", feed =>
        {
            table.CreateIfNotExists();
            (feed.Address, feed.Key) = (url, key);
            feed.Positions = new TableOffsetStore(table, "shipping", $"{Environment.MachineName}-{Environment.ProcessId}-{Environment.TickCount64}");
            feed.Reader = new FeedReaderOptions { Types = ["OrderPaid"] };
        });
    }

    private static bool IsUrl(string value) => Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
}

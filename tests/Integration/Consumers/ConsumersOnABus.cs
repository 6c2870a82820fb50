using Azure;
using Azure.Data.Tables;
using Azure.Messaging.ServiceBus;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Client;
using RabbitMQ.Client;

namespace Outpost.Tests.Integration.Consumers;

// <bus>
public static class HistoryApp
{
    public static void AddHistory(this IServiceCollection services, string broker)
    {
        services.AddOutpostConsumer<OrderHistory>("history", provider => broker switch
        {
            "servicebus" => new ServiceBusSource(provider.GetRequiredService<ServiceBusClient>(), "events", "orders"),
            "rabbitmq" => new RabbitMQSource(new ConnectionFactory { Uri = new Uri("amqps://rabbit.example") }, "orders"),
            _ => new KafkaSource(new ClientConfig { BootstrapServers = "kafka.example:9092" }, group: "history", topic: "events"),
        }, consumer =>
        {
            // Status codes that mean the store is in trouble, not that the message is bad.
            consumer.IsTransient = e => e is RequestFailedException { Status: 0 or 408 or 412 or 429 or >= 500 };
        });
    }
}
// </bus>

// <inbox>
/// <summary>Keeps what has happened to each order, each event once.</summary>
public sealed class OrderHistory(TableClient table) : IMessageHandler
{
    public async Task HandleAsync(EventMessage message, CancellationToken cancellationToken)
    {
        var order = message.Subject.Replace('/', '~');
        var found = await table.GetEntityIfExistsAsync<TableEntity>(order, "history", cancellationToken: cancellationToken);
        var history = new TableEntity(order, "history") { ["Events"] = $"{(found.HasValue ? found.Value!.GetString("Events") : "")} {message.Type}".Trim() };
        try
        {
            // All or nothing: the key says that this event is in the history.
            await table.SubmitTransactionAsync(
            [
                new TableTransactionAction(TableTransactionActionType.Add, new TableEntity(order, $"done {message.Key}")),
                found.HasValue
                    ? new TableTransactionAction(TableTransactionActionType.UpdateReplace, history, found.Value!.ETag)
                    : new TableTransactionAction(TableTransactionActionType.Add, history),
            ], cancellationToken);
        }
        catch (TableTransactionFailedException e) when (e is { Status: 409, FailedTransactionActionIndex: 0 })
        {
            // It was there: by an earlier delivery, or by a request of this one whose answer was lost.
        }
    }
}
// </inbox>

using System.Globalization;
using Azure.Messaging.ServiceBus;

namespace Outpost.Client;

/// <summary>
/// Reads a subscription with sessions. Each subject is a session, and a session has one reader at a time. The
/// subscription's own dead-letter queue holds what the consumer gives up, and also what the broker gives up by its
/// MaxDeliveryCount or a time to live.
/// </summary>
/// <param name="client">The client; the source does not dispose it.</param>
/// <param name="topic">Name of the topic.</param>
/// <param name="subscription">Name of a subscription of that topic; it must require sessions.</param>
/// <param name="sessions">How many subjects this process handles at the same time. Default 32.</param>
public sealed class ServiceBusSource(ServiceBusClient client, string topic, string subscription, int sessions = 32) : IMessageSource
{
    // The broker cuts reasons and descriptions to 4,096 characters.
    private const int ReasonMax = 4_000;

    // After this time without a message, a session gives its place to another.
    private static readonly TimeSpan SessionIdle = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan DeadLettersWithin = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public async Task RunAsync(MessageConsumer consumer, CancellationToken stopping)
    {
        await using var processor = client.CreateSessionProcessor(topic, subscription, new ServiceBusSessionProcessorOptions
        {
            AutoCompleteMessages = false,
            MaxConcurrentSessions = sessions,
            SessionIdleTimeout = SessionIdle,
            // The lock has to last for as long as the handler's store is unavailable.
            MaxAutoLockRenewalDuration = Timeout.InfiniteTimeSpan,
        });
        processor.ProcessMessageAsync += args => ProcessAsync(consumer, args, stopping);
        processor.ProcessErrorAsync += args =>
        {
            if (args.Exception is not OperationCanceledException) consumer.Failed(args.Exception);
            return Task.CompletedTask;
        };
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stopping.Register(stopped.SetResult);
        await processor.StartProcessingAsync(stopping);
        await stopped.Task;
        await processor.StopProcessingAsync(CancellationToken.None);
    }

    /// <inheritdoc/>
    public async Task<(int Done, int Left)> RetryDeadLettersAsync(MessageConsumer consumer, CancellationToken cancellationToken)
    {
        var (done, kept) = await RetryAllAsync(consumer, cancellationToken);
        // Gives the messages back by another link, which has never asked for a message. The link that received them
        // still has credit from its last wait. The broker would send it again what is given back, and while that link
        // closes nobody could settle a message that is on its way.
        await using var giver = client.CreateReceiver(topic, subscription, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        foreach (var message in kept) await giver.AbandonMessageAsync(message, cancellationToken: cancellationToken);
        return (done, kept.Count);
    }

    /// <summary>Handles each dead letter once. Those that fail stay locked, and so do later ones of the same subjects.</summary>
    private async Task<(int Done, IReadOnlyCollection<ServiceBusReceivedMessage> Kept)> RetryAllAsync(MessageConsumer consumer, CancellationToken cancellationToken)
    {
        // A dead-letter queue has no sessions. It delivers the oldest message first.
        await using var receiver = client.CreateReceiver(topic, subscription, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        var (done, kept, waiting) = (0, new Dictionary<long, ServiceBusReceivedMessage>(), new HashSet<string>());
        // A kept message comes again when its lock expires. By then every dead letter was seen.
        while (await receiver.ReceiveMessageAsync(DeadLettersWithin, cancellationToken) is { } message && kept.TryAdd(message.SequenceNumber, message))
        {
            if (waiting.Contains(message.SessionId ?? "")) continue;
            if (await consumer.HandleAsync(() => Read(message), cancellationToken) is not null)
            {
                waiting.Add(message.SessionId ?? "");
                continue;
            }

            await receiver.CompleteMessageAsync(message, cancellationToken);
            kept.Remove(message.SequenceNumber);
            done++;
        }

        return (done, kept.Values);
    }

    private static async Task ProcessAsync(MessageConsumer consumer, ProcessSessionMessageEventArgs args, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(args.CancellationToken, stopping);
        // A lost lock means that another reader has the session.
        args.SessionLockLostAsync += _ => end.CancelAsync();
        var reason = await consumer.HandleAsync(() => Read(args.Message), end.Token);
        // A message that was handled is settled even while the consumer stops.
        if (reason is null) await args.CompleteMessageAsync(args.Message, CancellationToken.None);
        else await args.DeadLetterMessageAsync(args.Message, "Poison", reason.Length > ReasonMax ? reason[..ReasonMax] : reason, CancellationToken.None);
    }

    private static EventMessage Read(ServiceBusReceivedMessage message)
    {
        return EventMessage.Read(
            name => name == "correlationid" ? message.CorrelationId : Property($"cloudEvents:{name}"), Property("replay"), message.ContentType, message.Body.ToMemory());

        string? Property(string name) =>
            message.ApplicationProperties.TryGetValue(name, out var value) ? Convert.ToString(value, CultureInfo.InvariantCulture) : null;
    }
}

using System.Globalization;
using Azure.Messaging.ServiceBus;

namespace Outpost.Client;

/// <summary>
/// A subscription with sessions: each subject is a session, and has one reader at a time. What the consumer gives up is dead-lettered
/// in the subscription's own dead-letter queue, and so is what the broker gives up (its MaxDeliveryCount, a time to live).
/// </summary>
/// <param name="client">The client; the source does not dispose it.</param>
/// <param name="topic">The topic.</param>
/// <param name="subscription">A subscription of it that requires sessions.</param>
/// <param name="sessions">Subjects at the same time in this process.</param>
public sealed class ServiceBusSource(ServiceBusClient client, string topic, string subscription, int sessions = 32) : IMessageSource
{
    // The broker cuts both to 4,096 characters.
    private const int ReasonMax = 4_000;

    // A session that has nothing gives its place to another.
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
            // A message waits for as long as its effect's store is away.
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
        // By another link, which has never asked for a message. The link that received them still has credit from its last wait: the
        // broker would send it what is given back, and while that link closes nobody settles a message that is on its way.
        await using var giver = client.CreateReceiver(topic, subscription, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        foreach (var message in kept) await giver.AbandonMessageAsync(message, cancellationToken: cancellationToken);
        return (done, kept.Count);
    }

    /// <summary>Handles each dead letter once; those that fail, and those of the same subjects after them, stay locked.</summary>
    private async Task<(int Done, IReadOnlyCollection<ServiceBusReceivedMessage> Kept)> RetryAllAsync(MessageConsumer consumer, CancellationToken cancellationToken)
    {
        // It has no sessions: oldest first.
        await using var receiver = client.CreateReceiver(topic, subscription, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        var (done, kept, waiting) = (0, new Dictionary<long, ServiceBusReceivedMessage>(), new HashSet<string>());
        // One that was kept comes again where its lock has expired: then all were seen.
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
        // Another reader has the session then.
        args.SessionLockLostAsync += _ => end.CancelAsync();
        var reason = await consumer.HandleAsync(() => Read(args.Message), end.Token);
        // What is done is settled even while this one is being stopped.
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

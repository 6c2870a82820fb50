using System.Collections.Concurrent;
using System.Globalization;
using Azure.Messaging.ServiceBus;

namespace Outpost.Tests.EndToEnd;

/// <summary>Reads a subscription empty with the official client: until so many have come, or none for a while.</summary>
internal sealed class BusReader(string connection, string topic, int max, TimeSpan quiet)
{
    private const int BatchMax = 200;
    private const int SessionsAtOnce = 16;

    /// <summary>What is there of a session is there already; a short wait tells its end.</summary>
    private static readonly TimeSpan SessionQuiet = TimeSpan.FromMilliseconds(100);
    private readonly ConcurrentQueue<ReceivedEvent> _received = [];

    public async Task<List<ReceivedEvent>> ReadAsync(string subscription)
    {
        await using var client = new ServiceBusClient(
            connection, new ServiceBusClientOptions { RetryOptions = new() { MaxRetries = 0, TryTimeout = quiet } });
        if (subscription == "orders")
        {
            await Task.WhenAll(Enumerable.Range(0, SessionsAtOnce).Select(_ => ReadSessionsAsync(client, subscription)));
        }
        else
        {
            await using var receiver = client.CreateReceiver(topic, subscription);
            await ReadAsync(receiver, quiet);
        }

        return [.. _received];
    }

    /// <summary>One session after the other, until none has anything to say.</summary>
    private async Task ReadSessionsAsync(ServiceBusClient client, string subscription)
    {
        while (_received.Count < max)
        {
            try
            {
                await using var session = await client.AcceptNextSessionAsync(topic, subscription);
                await ReadAsync(session, SessionQuiet);
            }
            catch (ServiceBusException e) when (e.Reason == ServiceBusFailureReason.ServiceTimeout)
            {
                return;
            }
        }
    }

    private async Task ReadAsync(ServiceBusReceiver receiver, TimeSpan patience)
    {
        while (_received.Count < max)
        {
            var messages = await receiver.ReceiveMessagesAsync(Math.Min(BatchMax, max - _received.Count), patience);
            if (messages.Count == 0) return;
            foreach (var message in messages) _received.Enqueue(new ReceivedEvent(message));
            await Task.WhenAll(messages.Select(message => receiver.CompleteMessageAsync(message)));
        }
    }
}

/// <summary>A message as a consumer got it.</summary>
internal sealed record ReceivedEvent(ServiceBusReceivedMessage Message)
{
    public string MessageId => Message.MessageId;

    public string? SessionId => Message.SessionId;

    public string Subject => Message.Subject;

    public string? ContentType => Message.ContentType;

    public string Body => Message.Body.ToString();

    /// <summary>When the broker took it.</summary>
    public DateTimeOffset EnqueuedAt => Message.EnqueuedTime;

    public long Sequence => long.Parse(Property("cloudEvents:sequence"), CultureInfo.InvariantCulture);

    public string Property(string name) => (string)Message.ApplicationProperties[name];
}

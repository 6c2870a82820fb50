using Azure.Messaging.ServiceBus;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.ServiceBus;

/// <summary>A queue, or a topic with one subscription, that only one test uses, and a client of the official library.</summary>
internal sealed class BusEntity : IAsyncDisposable
{
    /// <summary>For what comes at once; long, because the machine may be busy.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private BusEntity(string name, string? subscription, ServiceBusClient client)
    {
        Name = name;
        Subscription = subscription;
        Client = client;
        Sender = client.CreateSender(name);
    }

    public string Name { get; }

    public string? Subscription { get; }

    public ServiceBusClient Client { get; }

    public ServiceBusSender Sender { get; }

    public static async Task<BusEntity> QueueAsync(object? properties = null)
    {
        var name = $"queue-{Guid.NewGuid():n}";
        await ServiceBusEmulator.DefineAsync(name, new { Properties = properties ?? new { } });
        return new(name, null, await ClientAsync());
    }

    /// <summary>A topic with the subscription `orders`, which has sessions unless told.</summary>
    public static async Task<BusEntity> TopicAsync(object? subscription = null, object? topic = null)
    {
        var name = $"topic-{Guid.NewGuid():n}";
        await ServiceBusEmulator.DefineAsync(name, new
        {
            Properties = topic ?? new { },
            Subscriptions = new[] { new { Name = "orders", Properties = subscription ?? new { RequiresSession = true } } },
        });
        return new(name, "orders", await ClientAsync());
    }

    public static async Task<ServiceBusClient> ClientAsync(TimeSpan? tryTimeout = null) => new(
        await ServiceBusEmulator.ConnectionStringAsync(),
        new ServiceBusClientOptions { RetryOptions = new() { MaxRetries = 0, TryTimeout = tryTimeout ?? Patience } });

    public ServiceBusReceiver Receiver(ServiceBusReceiverOptions? options = null) => Subscription is null
        ? Client.CreateReceiver(Name, options)
        : Client.CreateReceiver(Name, Subscription, options);

    public ServiceBusReceiver DeadLetters() => Receiver(new() { SubQueue = SubQueue.DeadLetter });

    public Task<ServiceBusSessionReceiver> AcceptAsync(string session) =>
        Client.AcceptSessionAsync(Name, Subscription, session);

    public Task<ServiceBusSessionReceiver> AcceptNextAsync() => Client.AcceptNextSessionAsync(Name, Subscription);

    public Task SendAsync(params IEnumerable<string> bodies) =>
        Sender.SendMessagesAsync(bodies.Select(body => new ServiceBusMessage(body)));

    /// <summary>Messages of sessions, each written as session:body.</summary>
    public Task SendToSessionsAsync(params IEnumerable<string> messages) => Sender.SendMessagesAsync(messages
        .Select(each => each.Split(':'))
        .Select(parts => new ServiceBusMessage(parts[1]) { SessionId = parts[0] }));

    public Task<ServiceBusCounts> CountsAsync() => ServiceBusEmulator.CountsAsync(Name, Subscription);

    /// <summary>Exactly so many messages, or the test fails.</summary>
    public static async Task<List<ServiceBusReceivedMessage>> ReceiveAsync(ServiceBusReceiver receiver, int count)
    {
        var messages = new List<ServiceBusReceivedMessage>();
        while (messages.Count < count)
        {
            var more = await receiver.ReceiveMessagesAsync(count - messages.Count, Patience);
            Assert.True(more.Count > 0, $"only {messages.Count} of {count} messages came");
            messages.AddRange(more);
        }

        return messages;
    }

    public static async Task<ServiceBusReceivedMessage> ReceiveAsync(ServiceBusReceiver receiver) =>
        (await ReceiveAsync(receiver, 1))[0];

    /// <summary>Nothing comes within a time in which it would have come.</summary>
    public static async Task NothingComesAsync(ServiceBusReceiver receiver) =>
        Assert.Null(await receiver.ReceiveMessageAsync(TimeSpan.FromMilliseconds(300)));

    public static string[] Bodies(IEnumerable<ServiceBusReceivedMessage> messages) =>
        [.. messages.Select(message => message.Body.ToString())];

    public static async Task FailsAsync(ServiceBusFailureReason reason, Func<Task> action) =>
        Assert.Equal(reason, (await Assert.ThrowsAsync<ServiceBusException>(action)).Reason);

    public async ValueTask DisposeAsync()
    {
        await Sender.DisposeAsync();
        await Client.DisposeAsync();
    }
}

using System.Diagnostics;
using Azure.Messaging.ServiceBus;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Sdk;

/// <summary>What the Service Bus target relies on: what a sender of the official client does, against the emulator.</summary>
public sealed class ServiceBusSending
{
    private static readonly ServiceBusRetryOptions Once = new() { MaxRetries = 0, TryTimeout = TimeSpan.FromSeconds(5) };

    [Fact]
    public async Task A_batch_takes_messages_until_the_size_the_link_allows()
    {
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender(await ServiceBusEmulator.NewTopicAsync());
        using var batch = await sender.CreateMessageBatchAsync();

        while (batch.TryAddMessage(Message("m", new byte[1024])))
        {
        }

        Assert.InRange(batch.SizeInBytes, batch.MaxSizeInBytes - 2048, batch.MaxSizeInBytes);
        Assert.InRange(batch.Count, batch.MaxSizeInBytes / 1300, batch.MaxSizeInBytes / 1024);
        await sender.SendMessagesAsync(batch);
    }

    [Fact]
    public async Task A_batch_may_be_asked_to_stay_smaller_but_not_larger_than_the_link()
    {
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender(await ServiceBusEmulator.NewTopicAsync());
        using var small = await sender.CreateMessageBatchAsync(new CreateMessageBatchOptions { MaxSizeInBytes = 2000 });

        Assert.True(small.TryAddMessage(Message("a", new byte[1500])));
        Assert.False(small.TryAddMessage(Message("b", new byte[1500])));
        Assert.Equal(1, small.Count);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await sender.CreateMessageBatchAsync(
            new CreateMessageBatchOptions { MaxSizeInBytes = 1L << 40 }));
    }

    [Fact]
    public async Task A_batch_counts_what_was_serialized_not_what_the_message_became()
    {
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender(await ServiceBusEmulator.NewTopicAsync());
        using var batch = await sender.CreateMessageBatchAsync();
        var message = Message("a", new byte[100]);

        batch.TryAddMessage(message);
        var size = batch.SizeInBytes;
        message.Body = BinaryData.FromBytes(new byte[300_000]);

        Assert.Equal(size, batch.SizeInBytes);
        await sender.SendMessagesAsync(batch);
    }

    [Fact]
    public async Task A_property_of_an_unknown_type_fails_where_it_is_serialized()
    {
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender(await ServiceBusEmulator.NewTopicAsync());
        using var batch = await sender.CreateMessageBatchAsync();
        var message = Message("a", []);
        message.ApplicationProperties["list"] = new List<int>();

        Assert.Throws<System.Runtime.Serialization.SerializationException>(() => batch.TryAddMessage(message));
        await Assert.ThrowsAsync<System.Runtime.Serialization.SerializationException>(() => sender.SendMessageAsync(message));
    }

    [Fact]
    public async Task A_message_over_the_link_size_is_refused_before_it_is_sent()
    {
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender(await ServiceBusEmulator.NewTopicAsync());
        using var batch = await sender.CreateMessageBatchAsync();
        var message = Message("a", new byte[(int)batch.MaxSizeInBytes]);

        Assert.False(batch.TryAddMessage(message));
        await ThrowsAsync(ServiceBusFailureReason.MessageSizeExceeded, transient: false, () => sender.SendMessageAsync(message));
    }

    [Theory]
    [InlineData(ServiceBusFault.Busy, ServiceBusFailureReason.ServiceBusy, true)]
    [InlineData(ServiceBusFault.EntityDisabled, ServiceBusFailureReason.MessagingEntityDisabled, false)]
    [InlineData(ServiceBusFault.Reset, ServiceBusFailureReason.ServiceCommunicationProblem, true)]
    [InlineData(ServiceBusFault.AcceptThenReset, ServiceBusFailureReason.ServiceCommunicationProblem, true)]
    [InlineData(ServiceBusFault.Hang, ServiceBusFailureReason.ServiceTimeout, true)]
    [InlineData(ServiceBusFault.AcceptThenHang, ServiceBusFailureReason.ServiceTimeout, true)]
    [InlineData(ServiceBusFault.Silence, ServiceBusFailureReason.ServiceTimeout, true)]
    [InlineData(ServiceBusFault.TimedOut, ServiceBusFailureReason.ServiceTimeout, true)]
    [InlineData(ServiceBusFault.Throttled, ServiceBusFailureReason.ServiceBusy, true)]
    [InlineData(ServiceBusFault.QuotaExceeded, ServiceBusFailureReason.QuotaExceeded, false)]
    [InlineData(ServiceBusFault.InternalError, ServiceBusFailureReason.GeneralError, true)]
    public async Task A_fault_has_its_reason(ServiceBusFault fault, ServiceBusFailureReason reason, bool transient)
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var client = await ClientAsync(new() { MaxRetries = 0, TryTimeout = TimeSpan.FromSeconds(1) });
        await using var sender = client.CreateSender(topic);
        await ServiceBusEmulator.SetFaultAsync(topic, fault);

        await ThrowsAsync(reason, transient, () => sender.SendMessageAsync(Message("a", [])));
    }

    [Fact]
    public async Task A_link_that_is_detached_is_a_passing_failure_and_the_sender_opens_another()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender(topic);
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.Detach, times: 1);

        var failure = await Assert.ThrowsAsync<ServiceBusException>(() => sender.SendMessageAsync(Message("a", [])));

        // which of the two depends on what the client hears first: its delivery is cancelled or its link is gone
        Assert.True(
            failure.Reason is ServiceBusFailureReason.GeneralError or ServiceBusFailureReason.ServiceCommunicationProblem,
            failure.ToString());
        Assert.True(failure.IsTransient);
        await sender.SendMessageAsync(Message("a", []));
    }

    [Fact]
    public async Task A_refused_key_is_not_a_service_bus_failure()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender(topic);
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.Unauthorized);

        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => sender.SendMessageAsync(Message("a", [])));
    }

    [Fact]
    public async Task An_unknown_topic_is_not_found_when_first_used_and_that_does_not_pass()
    {
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender("no-such-topic");

        await ThrowsAsync(
            ServiceBusFailureReason.MessagingEntityNotFound, transient: false, () => sender.SendMessageAsync(Message("a", [])));
        await ThrowsAsync(
            ServiceBusFailureReason.MessagingEntityNotFound,
            transient: false,
            async () => (await sender.CreateMessageBatchAsync()).Dispose());
    }

    [Fact]
    public async Task Nobody_listening_is_a_passing_communication_problem()
    {
        var nobody = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;";
        await using var client = new ServiceBusClient(nobody, new ServiceBusClientOptions { RetryOptions = Once });
        await using var sender = client.CreateSender("events");

        await ThrowsAsync(
            ServiceBusFailureReason.ServiceCommunicationProblem,
            transient: true,
            async () => (await sender.CreateMessageBatchAsync()).Dispose());
    }

    [Fact]
    public async Task Passing_faults_are_retried_inside_the_client_up_to_the_number_of_retries()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var client = await ClientAsync(new()
        {
            Mode = ServiceBusRetryMode.Fixed,
            MaxRetries = 2,
            Delay = TimeSpan.FromMilliseconds(5),
        });
        await using var sender = client.CreateSender(topic);

        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.Reset, times: 2);
        await sender.SendMessageAsync(Message("a", []));
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.Reset, times: 3);
        await ThrowsAsync(
            ServiceBusFailureReason.ServiceCommunicationProblem,
            transient: true,
            () => sender.SendMessageAsync(Message("b", [])));
    }

    [Fact]
    public async Task After_a_busy_answer_the_sender_asks_nobody_for_a_while()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var client = await ClientAsync(new() { MaxRetries = 0, TryTimeout = TimeSpan.FromMilliseconds(200) });
        await using var sender = client.CreateSender(topic);
        await using var other = client.CreateSender(topic);
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.Busy, times: 1);

        await ThrowsAsync(ServiceBusFailureReason.ServiceBusy, transient: true, () => sender.SendMessageAsync(Message("a", [])));
        var clock = Stopwatch.StartNew();
        await ThrowsAsync(ServiceBusFailureReason.ServiceBusy, transient: true, () => sender.SendMessageAsync(Message("b", [])));

        Assert.InRange(clock.ElapsedMilliseconds, 150, 5000);
        await other.SendMessageAsync(Message("c", [])); // it is the sender that waits, not the client
    }

    [Fact]
    public async Task Cancelling_a_send_that_hangs_is_a_cancelled_task()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var client = await ClientAsync(Once);
        await using var sender = client.CreateSender(topic);
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.Hang);
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

        await Assert.ThrowsAsync<TaskCanceledException>(
            () => sender.SendMessageAsync(Message("a", []), cancellation.Token));
    }

    private static async Task<ServiceBusClient> ClientAsync(ServiceBusRetryOptions retries) => new(
        await ServiceBusEmulator.ConnectionStringAsync(), new ServiceBusClientOptions { RetryOptions = retries });

    private static ServiceBusMessage Message(string id, byte[] body) => new(body) { MessageId = id, SessionId = "s" };

    private static async Task ThrowsAsync(ServiceBusFailureReason reason, bool transient, Func<Task> action)
    {
        var exception = await Assert.ThrowsAsync<ServiceBusException>(action);
        Assert.Equal((reason, transient), (exception.Reason, exception.IsTransient));
    }
}

using System.Diagnostics;
using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.BadWeather;

/// <summary>What the official client keeps after a fault does not outlive the fault.</summary>
public sealed class A_sender_after_a_fault
{
    [Fact]
    public async Task Asks_the_broker_at_once_again_when_it_was_busy()
    {
        await using var bus = await Bus.StartAsync();
        await bus.DeliverOneAsync(0);
        await bus.FailAsync(ServiceBusFault.Busy);

        var busy = Assert.IsType<Delivery.Failed>(await bus.DeliverOneAsync(1));
        var clock = Stopwatch.StartNew();
        var next = await bus.DeliverOneAsync(1);

        Assert.Equal(("ServiceBusy", true, true), (busy.Kind, busy.IsBusy, busy.IsTransient));
        Assert.Equal(new Delivery.Accepted(1), next);
        // The client itself would wait for ten seconds.
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 7);
    }

    [Fact]
    public async Task Does_not_keep_other_partitions_from_sending_while_one_is_told_to_wait()
    {
        await using var bus = await Bus.StartAsync();
        await bus.DeliverOneAsync(partition: 1);
        await bus.FailAsync(ServiceBusFault.Throttled);
        Assert.IsType<Delivery.Failed>(await bus.DeliverOneAsync(partition: 0));
        var clock = Stopwatch.StartNew();

        Assert.Equal(new Delivery.Accepted(1), await bus.DeliverOneAsync(1, partition: 1));

        // The client itself would wait for ten seconds.
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 7);
    }

    [Fact]
    public async Task Is_another_one_after_a_link_whose_sends_get_no_answer()
    {
        await using var bus = await Bus.StartAsync();
        await bus.FailAsync(ServiceBusFault.Hang, ServiceBusFaultScope.Link);

        var failed = Assert.IsType<Delivery.Failed>(await bus.DeliverOneAsync());

        Assert.Equal(("ServiceTimeout", false, true), (failed.Kind, failed.IsBusy, failed.IsTransient));
        Assert.Equal(new Delivery.Accepted(1), await bus.DeliverOneAsync());
    }

    [Theory]
    [InlineData(ServiceBusFault.Hang)]
    [InlineData(ServiceBusFault.Silence)]
    public async Task Is_of_another_client_after_a_connection_that_answers_nothing_long_before_its_idle_timeout(ServiceBusFault fault)
    {
        await using var bus = await Bus.StartAsync();
        await bus.DeliverOneAsync(0);
        await bus.FailAsync(fault, ServiceBusFaultScope.Connection);
        var clock = Stopwatch.StartNew();

        Assert.IsType<Delivery.Failed>(await bus.DeliverOneAsync(1));
        Assert.Equal(new Delivery.Accepted(1), await bus.DeliverOneAsync(1));

        // One timeout of 5 s, and a connection. The idle timeout is a minute.
        Assert.InRange(clock.Elapsed.TotalSeconds, 4, 30);
    }

    [Fact]
    public async Task Is_of_another_client_after_two_without_an_answer_although_another_partition_gets_some()
    {
        await using var bus = await Bus.StartAsync();
        await bus.DeliverOneAsync(0, partition: 1);
        // Nothing is answered to links opened from now on; the other partition has one.
        await bus.FailAsync(ServiceBusFault.Hang, ServiceBusFaultScope.Link, times: 2);
        var sends = new List<Task<Delivery>>();
        for (var i = 0; i < 2; i++)
        {
            var hangs = bus.DeliverOneAsync(partition: 0);
            Assert.IsType<Delivery.Failed>(await hangs);
        }

        Assert.Equal(new Delivery.Accepted(1), await bus.DeliverOneAsync(partition: 0));
        Assert.Equal(new Delivery.Accepted(1), await bus.DeliverOneAsync(1, partition: 1));
    }

    [Theory]
    [InlineData(ServiceBusFault.Hang)]
    [InlineData(ServiceBusFault.Busy)]
    [InlineData(ServiceBusFault.Silence)]
    [InlineData(ServiceBusFault.InternalError)]
    [InlineData(ServiceBusFault.Unauthorized)]
    public async Task Whose_link_could_not_be_opened_refuses_no_entry_and_the_next_try_sends(ServiceBusFault fault)
    {
        await using var bus = await Bus.StartAsync();
        await bus.FailAsync(fault, onAttach: true);
        var clock = Stopwatch.StartNew();

        Assert.IsType<Delivery.Failed>(await bus.DeliverOneAsync());
        Assert.Equal(new Delivery.Accepted(1), await bus.DeliverOneAsync());

        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 30);
    }

    [Theory]
    [InlineData(ServiceBusFault.Reset)]
    [InlineData(ServiceBusFault.Detach)]
    [InlineData(ServiceBusFault.TimedOut)]
    [InlineData(ServiceBusFault.QuotaExceeded)]
    [InlineData(ServiceBusFault.EntityDisabled)]
    [InlineData(ServiceBusFault.Unauthorized)]
    [InlineData(ServiceBusFault.InternalError)]
    public async Task Sends_as_soon_as_the_broker_takes_it(ServiceBusFault fault)
    {
        await using var bus = await Bus.StartAsync();
        await bus.DeliverOneAsync(0);
        await bus.FailAsync(fault);

        Assert.IsType<Delivery.Failed>(await bus.DeliverOneAsync(1));
        var next = await bus.DeliverOneAsync(1);
        // The client may still be closing what the fault broke, and says so.
        if (next is Delivery.Failed { Kind: "ServiceCommunicationProblem", IsTransient: true }) next = await bus.DeliverOneAsync(1);
        Assert.Equal(new Delivery.Accepted(1), next);
    }

    [Fact]
    public async Task Is_waited_for_no_longer_than_a_second_after_the_delivery_was_cancelled_although_the_client_opens_a_link()
    {
        await using var bus = await Bus.StartAsync();
        await bus.FailAsync(ServiceBusFault.Hang, onAttach: true);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var clock = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bus.Target.DeliverAsync(Bus.Entries(1), null, stop.Token));

        // Without that it would be the five seconds of a timeout.
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 4.8);
        Assert.Equal(new Delivery.Accepted(1), await bus.DeliverOneAsync());
    }

    [Theory]
    [InlineData(ServiceBusFault.Busy, "The server is busy, as the test asked. Please retry.")]
    [InlineData(ServiceBusFault.EntityDisabled, "The entity is disabled, as the test asked.")]
    [InlineData(ServiceBusFault.Unauthorized, "Unauthorized access, as the test asked.")]
    public async Task Says_what_the_broker_said_and_nothing_else(ServiceBusFault fault, string reason)
    {
        await using var bus = await Bus.StartAsync();
        await bus.FailAsync(fault);

        Assert.Equal(reason, Assert.IsType<Delivery.Failed>(await bus.DeliverOneAsync()).Reason);
    }
}

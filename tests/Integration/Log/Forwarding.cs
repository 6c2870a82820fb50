using System.Net.Http.Json;
using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;
using Outpost.Orders;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>Promises 4 to 6: nothing lost, order kept, fenced, and the business goes on without the broker.</summary>
public sealed class Forwarding
{
    [Fact]
    public async Task Every_entry_of_every_partition_is_delivered_in_offset_order()
    {
        await using var log = await TestLog.CreateAsync(partitions: 4);
        await PlaceAsync(log, 100);
        var target = new RecordingTarget();

        var run = await log.Forwarder(target).RunAsync(CancellationToken.None);

        Assert.Equal(100, run.Delivered);
        Assert.All(
            target.Delivered.GroupBy(e => e.Partition),
            p => Assert.Equal(Enumerable.Range(0, p.Count()).Select(i => (long)i), p.Select(e => e.Offset)));
        Assert.Equal(100, target.Delivered.Count);
        Assert.Equal(100, (await CheckpointsAsync(log)).Sum());
    }

    [Fact]
    public async Task An_idle_tick_costs_one_request_per_partition_and_writes_nothing()
    {
        using var transport = new FaultyTransport((message, _) => message.Request.Method == Azure.Core.RequestMethod.Get ? null : Fault.CutBefore);
        await using var writer = await TestLog.CreateAsync(partitions: 4);
        await PlaceAsync(writer, 40);
        await writer.Forwarder(new RecordingTarget()).RunAsync(CancellationToken.None);
        await using var log = await writer.AnotherProcessAsync(transport);
        await log.Store.LayoutAsync(CancellationToken.None);
        var before = transport.Requests;

        await log.Forwarder(new RecordingTarget()).RunAsync(CancellationToken.None);

        Assert.Equal(4, transport.Requests - before);
    }

    [Fact]
    public async Task A_failing_target_keeps_the_checkpoint_where_it_is_and_the_next_run_goes_on_from_there()
    {
        await using var log = await TestLog.CreateAsync();
        await PlaceAsync(log, 35);
        var target = new RecordingTarget
        {
            Before = (number, _) => number == 3
                ? throw new ServiceBusException("gone", ServiceBusFailureReason.ServiceCommunicationProblem)
                : Task.CompletedTask,
        };
        var forwarder = log.Forwarder(target);

        var failed = await forwarder.RunAsync(CancellationToken.None);
        var checkpoint = await CheckpointsAsync(log);
        await forwarder.RunAsync(CancellationToken.None);

        Assert.Equal((1, 20), (failed.FailedPartitions, failed.Delivered));
        Assert.Equal([20L], checkpoint);
        Assert.Equal(Enumerable.Range(0, 35).Select(i => (long)i), target.Delivered.Select(e => e.Offset));
    }

    [Fact]
    public async Task A_forwarder_that_was_overtaken_stops_and_moves_no_checkpoint_back()
    {
        await using var log = await TestLog.CreateAsync();
        await PlaceAsync(log, 200);
        var fast = new RecordingTarget();
        // During its first delivery the lease is given to another process, as if this one had been paused for long.
        var slow = new RecordingTarget
        {
            After = async number =>
            {
                if (number != 1) return;
                var taken = (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints["servicebus"];
                await log.Checkpoints.SaveAsync(0, taken with { Owner = null, Epoch = taken.Epoch + 1 }, [], [], CancellationToken.None);
                await log.Forwarder(fast).RunAsync(CancellationToken.None);
            },
        };

        await using (var engine = log.Forwarder(slow)) await engine.RunAsync(CancellationToken.None);

        // While the first one's checkpoint was being refused, up to eight more were delivered, and a ninth begun: not all twenty.
        Assert.InRange(slow.Deliveries, 1, 11);
        Assert.Equal(200, fast.Delivered.Count);
        Assert.Equal([200L], await CheckpointsAsync(log));
    }

    [Fact]
    public async Task Two_forwarders_at_once_deliver_everything_and_each_keeps_the_order()
    {
        await using var one = await TestLog.CreateAsync(partitions: 2);
        await using var two = await one.AnotherProcessAsync();
        await PlaceAsync(one, 200);
        var target = new RecordingTarget();

        await Task.WhenAll(one.Forwarder(target).RunAsync(CancellationToken.None), two.Forwarder(target).RunAsync(CancellationToken.None));
        await one.Forwarder(target).RunAsync(CancellationToken.None);

        // What arrives first of each entry, arrives in order: that is what duplicate detection leaves over.
        var first = target.Delivered.DistinctBy(e => e.Id).ToList();
        Assert.Equal(200, first.Count);
        Assert.All(first.GroupBy(e => e.Partition), p => Assert.Equal(p.Select(e => e.Offset).Order(), p.Select(e => e.Offset)));
        Assert.Equal(200, (await CheckpointsAsync(one)).Sum());
    }

    [Theory]
    [InlineData(Fault.LostAnswer)]
    [InlineData(Fault.Answers503AfterTheEffect)]
    [InlineData(Fault.AnswersAWriteWithNonsense)]
    public async Task A_checkpoint_whose_answer_got_lost_is_recognised_as_its_own(Fault fault)
    {
        await using var writer = await TestLog.CreateAsync();
        await PlaceAsync(writer, 40);
        using var transport = new FaultyTransport((message, number) =>
            message.Request.Method != Azure.Core.RequestMethod.Get && number % 2 == 0 ? fault : null);
        await using var log = await writer.AnotherProcessAsync(transport);
        var target = new RecordingTarget();

        await log.Forwarder(target).RunAsync(CancellationToken.None);

        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), target.Delivered.Select(e => e.Offset));
        Assert.Equal([40L], await CheckpointsAsync(writer));
    }

    [Fact]
    public async Task Being_stopped_after_a_delivery_still_writes_its_checkpoint()
    {
        await using var log = await TestLog.CreateAsync();
        await PlaceAsync(log, 30);
        using var stop = new CancellationTokenSource();
        var target = new RecordingTarget { After = number => number == 2 ? stop.CancelAsync() : Task.CompletedTask };

        await log.Forwarder(target).RunAsync(stop.Token);

        Assert.Equal(20, target.Delivered.Count);
        Assert.Equal([20L], await CheckpointsAsync(log));
    }

    [Fact]
    public async Task A_forwarder_that_starts_at_the_head_forwards_only_what_comes_after()
    {
        await using var log = await TestLog.CreateAsync();
        await PlaceAsync(log, 5);
        var target = new RecordingTarget();
        var forwarder = log.Forwarder(target, StartAt.Head);

        await forwarder.RunAsync(CancellationToken.None);
        await log.PlaceAsync("later");
        await forwarder.RunAsync(CancellationToken.None);

        Assert.Equal(["order/later"], target.Delivered.Select(e => e.Subject));
    }

    [Fact]
    public async Task What_comes_while_it_lingers_is_forwarded_by_the_same_run()
    {
        await using var log = await TestLog.CreateAsync();
        await log.PlaceAsync("o-1");
        var target = new RecordingTarget { After = async number => await (number < 4 ? log.PlaceAsync($"o-{number + 1}") : Task.CompletedTask) };

        await log.Forwarder(target, linger: TimeSpan.FromMilliseconds(500)).RunAsync(CancellationToken.None);

        Assert.Equal(["order/o-1", "order/o-2", "order/o-3", "order/o-4"], target.Delivered.Select(e => e.Subject));
    }

    [Fact]
    public async Task What_is_sent_twice_is_on_the_topic_once()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var log = await TestLog.CreateAsync();
        await PlaceAsync(log, 300);
        await using var target = await TestLog.ServiceBusTargetAsync(topic);

        // Sent and killed before the checkpoint, as far as the next process can tell.
        var entries = await log.ReadAllAsync();
        for (var sent = 0; sent < 150;)
            sent += Assert.IsType<Delivery.Accepted>(await target.DeliverAsync([.. entries.Skip(sent).Take(50)], null, CancellationToken.None)).Count;
        await log.Forwarder(target).RunAsync(CancellationToken.None);

        Assert.Equal(300, await MessagesAsync(topic));
    }

    [Fact]
    public async Task An_event_too_large_for_the_broker_travels_as_a_reference_and_holds_nobody_up()
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var log = await TestLog.CreateAsync();
        await log.PlaceAsync("o-1");
        await log.RunAsync("big", null, "x", _ => new Decision<Order>.Accepted(
            new Order("big", "c", OrderState.Placed, [], 0), [new NewEvent("Big", "application/octet-stream", new byte[600_000])]));
        await log.PlaceAsync("o-2");
        await using var target = await TestLog.ServiceBusTargetAsync(topic);

        var run = await log.Forwarder(target).RunAsync(CancellationToken.None);

        Assert.Equal(3, run.Delivered);
        Assert.Equal(3, await MessagesAsync(topic));
    }

    [Theory]
    [InlineData(ServiceBusFault.Busy)]
    [InlineData(ServiceBusFault.Unauthorized)]
    [InlineData(ServiceBusFault.Reset)]
    [InlineData(ServiceBusFault.AcceptThenReset)]
    [InlineData(ServiceBusFault.EntityDisabled)]
    public async Task While_the_broker_refuses_commands_commit_and_afterwards_everything_arrives(ServiceBusFault fault)
    {
        var topic = await ServiceBusEmulator.NewTopicAsync();
        await using var log = await TestLog.CreateAsync();
        await using var target = await TestLog.ServiceBusTargetAsync(topic);
        var forwarder = log.Forwarder(target);
        await ServiceBusEmulator.SetFaultAsync(topic, fault);

        await PlaceAsync(log, 20);
        var failed = await forwarder.RunAsync(CancellationToken.None);
        await ServiceBusEmulator.SetFaultAsync(topic, ServiceBusFault.None);
        // Who has just failed leaves the lease to others for some seconds.
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await CheckpointsAsync(log)).Single() < 20)
        {
            await forwarder.RunAsync(late.Token);
            await Task.Delay(200, late.Token);
        }


        Assert.Equal(0, failed.Delivered);
        Assert.Equal(20, await MessagesAsync(topic));
        Assert.Equal([20L], await CheckpointsAsync(log));
    }

    private static Task PlaceAsync(TestLog log, int orders) =>
        Task.WhenAll(Enumerable.Range(0, orders).Select(i => log.PlaceAsync($"o-{i}")));

    private static async Task<List<long>> CheckpointsAsync(TestLog log)
    {
        var checkpoints = new List<long>();
        for (var partition = 0; partition < log.Partitions; partition++)
        {
            var state = await log.Store.ReadPartitionAsync(partition, CancellationToken.None);
            if (state.Checkpoints.TryGetValue("servicebus", out var checkpoint)) checkpoints.Add(checkpoint.NextOffset);
        }

        return checkpoints;
    }

    // What a consumer would find on the subscription without sessions.
    private static async Task<int> MessagesAsync(string topic)
    {
        var endpoint = (await ServiceBusEmulator.ConnectionStringAsync()).Split(';')[0].Replace("Endpoint=sb://", "http://", StringComparison.Ordinal);
        using var http = new HttpClient();
        var entity = await http.GetFromJsonAsync<JsonElement>($"{endpoint}/{topic}");
        return entity.GetProperty("messages").GetProperty("all").GetProperty("active").GetInt32();
    }
}

using System.Diagnostics;
using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Rabbits;

/// <summary>A node of the test's own, which is blocked and killed.</summary>
public sealed class A_broker_in_trouble
{
    [RabbitMQFact]
    public async Task That_has_no_memory_left_makes_deliveries_busy_at_once_and_takes_them_as_soon_as_it_has()
    {
        await using var server = await RabbitMQServer.StartAsync();
        await using var rabbit = await Rabbit.StartAsync(server: server);
        await rabbit.DeliverAsync(Rabbit.Entry(0));
        await server.ControlAsync("set_vm_memory_high_watermark", "0.0000001");
        await UntilBlockedAsync(rabbit);
        var clock = Stopwatch.StartNew();

        var blocked = Assert.IsType<Delivery.Failed>(await rabbit.DeliverAsync(Rabbit.Entry(1)));

        Assert.Equal(("ConnectionBlocked", true, true), (blocked.Kind, blocked.IsTransient, blocked.IsBusy));
        Assert.Contains("low on memory", blocked.Cause.Message, StringComparison.Ordinal);
        // Not after a timeout of five seconds.
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 4.8);
        await server.ControlAsync("set_vm_memory_high_watermark", "0.6");
        Delivery next;
        while ((next = await rabbit.DeliverAsync(Rabbit.Entry(1))) is Delivery.Failed { Kind: "ConnectionBlocked" }) Assert.InRange(clock.Elapsed.TotalSeconds, 0, 60);
        Assert.Equal(new Delivery.Accepted(1), next);
    }

    [RabbitMQFact]
    public async Task That_is_killed_and_started_again_has_what_it_confirmed_and_takes_the_rest()
    {
        await using var server = await RabbitMQServer.StartAsync();
        await using var rabbit = await Rabbit.StartAsync(server: server);
        await rabbit.DeliverAsync(Rabbit.Entry(0));

        await server.KillAsync();
        var failed = Assert.IsType<Delivery.Failed>(await rabbit.DeliverAsync(Rabbit.Entry(1)));
        await server.RunAsync();
        Delivery next;
        var tries = 0;
        while ((next = await rabbit.DeliverAsync(Rabbit.Entry(1))) is Delivery.Failed { IsTransient: true }) Assert.InRange(++tries, 1, 10);

        Assert.True(failed.IsTransient);
        Assert.Equal(new Delivery.Accepted(1), next);
        await using var after = await Rabbit.StartAsync(server: server);
        Assert.Equal([0L, 1], await after.OffsetsAsync(rabbit.Queue));
    }

    // It is blocked once it has published, and the broker says so then.
    private static async Task UntilBlockedAsync(Rabbit rabbit)
    {
        var tries = 0;
        while (await rabbit.DeliverAsync(Rabbit.Entry(1)) is Delivery.Accepted) Assert.InRange(++tries, 1, 10_000);
    }
}

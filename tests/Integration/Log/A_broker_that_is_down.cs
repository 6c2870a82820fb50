using Outpost.Orders;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

/// <summary>Promise 6, in requests: what a command costs the store does not depend on the broker.</summary>
public sealed class A_broker_that_is_down
{
    private const int Commands = 200;

    [Fact]
    public async Task Costs_a_command_nothing()
    {
        using var transport = new FaultyTransport((_, _) => null);
        await using var log = await TestLog.CreateAsync(transport: transport);
        Assert.IsType<CommandResult<Order>.Done>(await log.PlaceAsync("warm-up", "warm-up"));
        var target = new RecordingTarget { Before = (_, _) => throw new TimeoutException("The broker is down.") };
        await using var engine = log.Forwarder(target, linger: TimeSpan.FromSeconds(5));
        using var stop = new CancellationTokenSource();
        var nudges = engine.ForwardCommitsAsync(stop.Token);
        var before = transport.Requests;

        for (var i = 0; i < Commands; i++) Assert.IsType<CommandResult<Order>.Done>(await log.PlaceAsync($"o-{i}", $"k{i}"));

        // One transaction each; the forwarder's own tries, looks and lease are few and do not grow with the commands.
        Assert.InRange(transport.Requests - before, Commands, Commands + 25);
        await stop.CancelAsync();
        await nudges;
        Assert.Empty(target.Delivered);
    }
}

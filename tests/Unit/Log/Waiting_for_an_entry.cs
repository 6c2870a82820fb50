using Outpost.Tests.Unit.Forwarding;
using Outpost.Tests.Unit.LocalHost;

namespace Outpost.Tests.Unit.Log;

public sealed class Waiting_for_an_entry
{
    [Fact]
    public async Task Ends_soon_although_somebody_patient_was_there_first()
    {
        await using var log = new SimulatedLog();
        await using var other = log.AnotherProcess();
        await log.AddManyAsync("a", 1);
        var time = new ManualTime(new DateTime(2026, 11, 22, 8, 0, 0, DateTimeKind.Utc));
        var watch = new PartitionWatch(log.Store, log.Sources with { Time = time });
        var patient = watch.WaitAsync(0, 1, poll: TimeSpan.FromMinutes(1), timeout: TimeSpan.FromMinutes(5), CancellationToken.None);
        await time.WaitForWaiter(within: TimeSpan.FromMinutes(2));
        var impatient = watch.WaitAsync(0, 1, poll: TimeSpan.FromMilliseconds(300), timeout: TimeSpan.FromSeconds(25), CancellationToken.None);
        await other.AddManyAsync("b", 1);

        time.Advance(await time.WaitForWaiter(within: TimeSpan.FromSeconds(1)));

        Assert.True(await impatient);
        Assert.True(await patient);
    }

    [Fact]
    public async Task Asks_the_store_no_more_often_than_the_most_impatient_wants()
    {
        await using var log = new SimulatedLog();
        await log.AddManyAsync("a", 1);
        var time = new ManualTime(new DateTime(2026, 11, 22, 8, 0, 0, DateTimeKind.Utc));
        var watch = new PartitionWatch(log.Store, log.Sources with { Time = time });
        log.Table.ForgetRequests();
        var waiting = watch.WaitAsync(0, 1, poll: TimeSpan.FromSeconds(4), timeout: TimeSpan.FromSeconds(25), CancellationToken.None);

        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromSeconds(7);)
        {
            var nap = await time.WaitForWaiter(within: TimeSpan.FromSeconds(1));
            time.Advance(nap);
            passed += nap;
        }

        Assert.Single(log.Table.Requests);
        await log.AddManyAsync("a", 1);
        Assert.True(await waiting);
    }
}

using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Log;

public sealed class A_caller_who_gives_up
{
    [Fact]
    public async Task Between_the_clients_own_tries_is_a_caller_who_gave_up_and_no_fault()
    {
        using var giveUp = new CancellationTokenSource();
        var reads = 0;
        await using var proxy = await FaultyProxy.StartAsync(request =>
        {
            if (!request.Target.Contains("order", StringComparison.Ordinal)) return null;
            if (Interlocked.Increment(ref reads) == 1) return WireFault.CutInTheAnswer;
            giveUp.CancelAfter(TimeSpan.Zero);
            return WireFault.LandsAfterTheNext;
        });
        await using var log = TestLog.Open(proxy.ConnectionString, Azurite.NewTableName());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => log.PayAsync("o-1", cancellationToken: giveUp.Token));

        Assert.Equal(2, reads);
    }
}

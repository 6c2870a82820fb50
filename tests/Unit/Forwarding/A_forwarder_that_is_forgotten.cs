using Outpost.Forwarding;
using static Outpost.Tests.Unit.Forwarding.ParkedLog;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_forwarder_that_is_forgotten
{
    [Fact]
    public async Task Leaves_no_row_behind()
    {
        await using var log = await ParkedAndPausedAsync();

        Assert.IsType<OperationResult.Done>(await log.Operators().ForgetAsync(Name, CancellationToken.None));

        Assert.Empty(Left(log));
        Assert.IsType<OperationResult.NotFound>(await log.Operators().ForgetAsync(Name, CancellationToken.None));
    }

    [Fact]
    public async Task Is_none_of_this_app_s_own()
    {
        await using var log = await ParkedAndPausedAsync();
        await using var engine = log.To(new RecordingTarget());

        Assert.IsType<OperationResult.InUse>(await log.Operators(engine).ForgetAsync(Name, CancellationToken.None));
        Assert.Equal(4, Left(log).Count());
    }

    [Fact]
    public async Task Is_none_that_another_process_still_runs()
    {
        await using var log = await ParkedAndPausedAsync();
        var running = await log.CheckpointAsync() with { Owner = "another process" };
        await log.Checkpoints.SaveAsync(0, running with { Write = running.Write + 1 }, [], [], CancellationToken.None);

        Assert.IsType<OperationResult.InUse>(await log.Operators().ForgetAsync(Name, CancellationToken.None));
        Assert.Equal(4, Left(log).Count());

        // It ended without giving its lease back.
        log.Time.Advance(TimeSpan.FromSeconds(16));
        Assert.IsType<OperationResult.Done>(await log.Operators().ForgetAsync(Name, CancellationToken.None));
    }

    // Cut short at each request in turn: asked again, it is done to the end.
    [Theory]
    [InlineData("unreachable")]
    [InlineData("answer lost")]
    [InlineData("the process dies")]
    public Task Can_be_forgotten_to_the_end_after_a_fault(string kind) => AtEachRequestAsync(kind, async goWrong =>
    {
        await using var log = await ParkedAndPausedAsync();
        await log.Store.LayoutAsync(CancellationToken.None);
        goWrong(log);
        try
        {
            await log.Operators().ForgetAsync(Name, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
        }

        log.Table.Faults = null;
        await log.Operators().ForgetAsync(Name, CancellationToken.None);

        Assert.Empty(Left(log));
    });

    private static IEnumerable<string> Left(SimulatedLog log) =>
        log.Table.Rows("0000").Select(row => row.RowKey).Where(key => key.StartsWith("c|", StringComparison.Ordinal) || key.StartsWith("p|", StringComparison.Ordinal));

    private static async Task<SimulatedLog> ParkedAndPausedAsync()
    {
        var log = await WithAsync("a", "a", "b");
        await log.ForwardAsync(new RecordingTarget { Refuses = Only(0) });
        await log.Operators().PauseAsync(Name, null, isPaused: true, CancellationToken.None);
        return log;
    }
}

using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;
using Outpost.Testing;
using Recording = Outpost.Testing.RecordingTarget;

namespace Outpost.Tests.Unit.TestingPackage;

public sealed class A_test_of_an_app
{
    [Fact]
    public async Task Forwards_to_each_target_and_only_when_it_is_told_to()
    {
        var (one, two) = (new Recording(), new Recording());
        await using var test = new OutpostTest(outpost => outpost.AddTarget("one", _ => one).AddTarget("two", _ => two), partitions: 4);
        for (var i = 0; i < 30; i++) await DoAsync(test, $"t{i}", $"{i}");

        Assert.Empty(one.Received);
        await test.ForwardAsync();
        await DoAsync(test, "t0", "30");
        await test.ForwardAsync();

        var entries = await test.EntriesAsync();
        Assert.Equal(31, entries.Count);
        Assert.All([one, two], target => Assert.Equal(entries.Select(entry => entry.Id.ToString()).Order(), target.Received.Select(entry => entry.Id.ToString()).Order()));
    }

    [Fact]
    public async Task Forwards_also_what_a_handler_commits_meanwhile_in_another_partition()
    {
        await using var test = new OutpostTest(
            outpost =>
            {
                outpost.Services.AddSingleton(new Chain(Length: 20));
                outpost.AddHandler<Counted, Follower>("follower", within: TimeSpan.FromMinutes(1));
            },
            partitions: 3);
        await DoAsync(test, "t0", "0");

        await test.ForwardAsync();

        Assert.Equal(Enumerable.Range(0, 21), (await test.EntriesAsync()).Select(entry => int.Parse(Tallies.StepOf(entry), null)).Order());
    }

    [Fact]
    public async Task Ends_where_a_handler_would_go_on_for_ever()
    {
        await using var test = new OutpostTest(outpost =>
        {
            outpost.Services.AddSingleton(new Chain(Length: int.MaxValue));
            outpost.AddHandler<Counted, Follower>("follower", within: TimeSpan.FromMinutes(1));
        });
        await DoAsync(test, "t0", "0");

        Assert.Contains("whose events it handles itself", (await Assert.ThrowsAsync<OutpostTestException>(() => test.ForwardAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_why_a_target_goes_on_failing_and_goes_on_from_there_later()
    {
        var target = new Recording();
        await using var test = new OutpostTest(outpost => outpost.AddTarget("bus", _ => target));
        await DoAsync(test, "a", "a1");
        await DoAsync(test, "a", "a2");
        var asked = 0;
        target.Answer = entry => entry.Offset == 1 && ++asked > 0 ? new Delivery.Failed(new IOException("The bus is away."), IsTransient: true) : null;

        var failure = await Assert.ThrowsAsync<OutpostTestException>(() => test.ForwardAsync());
        Assert.Equal("bus fails at entry 1 of partition 0: IOException: The bus is away.", failure.Message);
        Assert.IsType<IOException>(failure.InnerException);
        Assert.InRange(asked, 5, 10);

        target.Answer = null;
        await test.ForwardAsync();
        Assert.Equal([0L, 1], target.Received.Select(entry => entry.Offset));
    }

    [Fact]
    public async Task Says_what_was_parked_and_forwards_the_rest()
    {
        var target = new Recording { Answer = entry => entry.Offset == 0 ? new Delivery.Refused(1, "Not like this.") : null };
        await using var test = new OutpostTest(outpost => outpost.AddTarget("bus", _ => target));
        await DoAsync(test, "a", "a1");
        await DoAsync(test, "b", "b1");
        await DoAsync(test, "a", "a2");

        var failure = await Assert.ThrowsAsync<OutpostTestException>(() => test.ForwardAsync());

        Assert.Equal("bus parked entry 0 of partition 0, Counted of tally/a: Not like this.\nbus parked entry 2 of partition 0, Counted of tally/a: behind 0", failure.Message);
        Assert.Equal([1L], target.Received.Select(entry => entry.Offset));
        Assert.Equal([0L, 2], (await test.ParkedAsync("bus")).Select(entry => entry.Offset));
        await DoAsync(test, "b", "b2");
        await test.ForwardAsync();
        Assert.Equal([1L, 3], target.Received.Select(entry => entry.Offset));
    }

    [Fact]
    public async Task Has_a_clock_that_only_moves_when_it_is_told_to()
    {
        var noon = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        await using var test = new OutpostTest(start: noon);

        await DoAsync(test, "a", "a1");
        test.Time.Advance(TimeSpan.FromDays(3));
        await DoAsync(test, "a", "a2");

        Assert.Equal([noon, noon.AddDays(3)], (await test.EntriesAsync()).Select(entry => entry.Timestamp));
        Assert.Same(test.Time, test.Services.GetRequiredService<TimeProvider>());
    }

    [Fact]
    public async Task Gives_each_event_a_scope_and_says_so_where_a_service_is_missing()
    {
        await using var test = new OutpostTest(outpost => outpost.AddHandler<Counted, Follower>("follower", within: TimeSpan.FromMinutes(1)));
        await DoAsync(test, "a", "0");

        Assert.Contains(nameof(Chain), (await Assert.ThrowsAsync<OutpostTestException>(() => test.ForwardAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ends_where_a_handler_never_returns_and_says_so()
    {
        await using var test = new OutpostTest(outpost => outpost.AddTarget("bus", _ => new Endless())) { DeliveryMax = TimeSpan.FromMilliseconds(20) };
        await DoAsync(test, "a", "a1");

        Assert.Equal(
            "bus fails at entry 0 of partition 0: OutpostTestException: A call did not return within 0.02 seconds. Does it wait by the test's clock, which nobody moves?",
            (await Assert.ThrowsAsync<OutpostTestException>(() => test.ForwardAsync())).Message);
    }

    [Fact]
    public async Task Ends_when_its_caller_leaves()
    {
        await using var test = new OutpostTest(outpost => outpost.AddTarget("bus", _ => new Endless()));
        await DoAsync(test, "a", "a1");
        using var leave = new CancellationTokenSource();
        var forwarding = test.ForwardAsync(leave.Token);

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => forwarding);
    }

    private static async Task DoAsync(OutpostTest test, string id, string step) =>
        Assert.IsType<CommandResult<Tally>.Done>(await test.Log.ExecuteAsync(Tallies.Count(id, step), CancellationToken.None));

    private sealed record Chain(int Length);

    private sealed class Follower(Chain chain, EventLog log) : IEventHandler<Counted>
    {
        public async Task HandleAsync(Counted payload, EventEntry entry, CancellationToken cancellationToken)
        {
            var next = int.Parse(payload.Step, null) + 1;
            // One entity each: the state has every step it ever counted.
            if (next <= chain.Length) await log.ExecuteAsync(Tallies.Count($"t{next}", $"{next}"), cancellationToken);
        }
    }

    // It listens to nobody.
    private sealed class Endless : IForwardTarget
    {
        public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken) =>
            new TaskCompletionSource<Delivery>().Task;
    }
}

using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class What_a_forwarder_says
{
    [Fact]
    public async Task Is_nothing_when_there_is_nothing_to_do()
    {
        await using var log = new SimulatedLog();
        var lines = new Lines();

        await Forwarder(log, new RecordingTarget(), lines).RunAsync(CancellationToken.None);

        Assert.Empty(lines.All);
    }

    [Fact]
    public async Task Is_that_a_partition_fails_once_and_not_at_every_tick()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var lines = new Lines();
        var forwarder = Forwarder(log, new RecordingTarget { Before = (_, _) => throw new IOException("down") }, lines);

        for (var tick = 0; tick < 5; tick++)
        {
            await forwarder.RunAsync(CancellationToken.None);
            log.Time.Advance(TimeSpan.FromSeconds(7));
        }

        Assert.Equal(["Error: Forwarder servicebus: partition 0 is failing: IOException: down"], lines.All);
    }

    [Fact]
    public async Task Is_a_warning_and_no_error_when_the_target_is_only_busy()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var lines = new Lines();
        var busy = new Delivery.Failed(new IOException("wait a moment"), IsTransient: true) { Kind = "ServiceBusy", IsBusy = true };
        await Forwarder(log, new ScriptedTarget((_, _, _) => Task.FromResult<Delivery>(busy)), lines).RunAsync(CancellationToken.None);

        Assert.Equal(["Warning: Forwarder servicebus: partition 0 waits for its target: ServiceBusy: wait a moment"], lines.All);
    }

    [Fact]
    public async Task Is_kind_and_reason_in_one_line_where_a_client_s_message_is_a_stack_trace()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var lines = new Lines();
        var target = new RecordingTarget
        {
            Before = (_, _) => throw new IOException(
            "Connection refused\r\n   at Some.Client.Connect(String host)\n--- End of stack trace from previous location ---\n   at Other()\nCode: 111\n\nHeaders:\nDate: today")
        };
        await Forwarder(log, target, lines).RunAsync(CancellationToken.None);

        Assert.Equal(["Error: Forwarder servicebus: partition 0 is failing: IOException: Connection refused Code: 111"], lines.All);
        var checkpoint = (await log.Store.ReadPartitionAsync(0, CancellationToken.None)).Checkpoints["servicebus"];
        Assert.Equal("IOException: Connection refused Code: 111", checkpoint.LastError);
    }

    [Fact]
    public async Task Is_how_much_it_delivered_in_words_that_fit_the_number()
    {
        await using var log = new SimulatedLog();
        var lines = new Lines();
        var forwarder = Forwarder(log, new RecordingTarget(), lines);
        await log.DoAsync(Tallies.Count("a", "a1"));
        await forwarder.RunAsync(CancellationToken.None);
        await log.DoAsync(Tallies.Count("a", "a2"));
        await log.DoAsync(Tallies.Count("a", "a3"));
        await forwarder.RunAsync(CancellationToken.None);

        Assert.Equal(
            ["1 entry in 1 batch, 0 partitions failing", "2 entries in 1 batch, 0 partitions failing"],
            lines.All.Select(line => Regex.Match(line, "servicebus: (.*failing),").Groups[1].Value));
    }

    [Fact]
    public async Task Is_one_line_for_a_target_that_is_away_whatever_the_number_of_partitions()
    {
        await using var log = new SimulatedLog(partitions: 4);
        for (var i = 0; i < 40; i++) await log.DoAsync(Tallies.Count($"a{i}", $"a{i}"));
        var lines = new Lines();
        var forwarder = Forwarder(log, new RecordingTarget { Before = (_, _) => throw new IOException("down") }, lines);

        for (var tick = 0; tick < 3; tick++) await forwarder.RunAsync(CancellationToken.None);

        var line = Assert.Single(lines.All, line => !line.StartsWith("Debug", StringComparison.Ordinal));
        Assert.EndsWith("is failing: IOException: down", line, StringComparison.Ordinal);
        Assert.Equal(3, lines.All.Count(each => each.Contains("has the same problem", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Is_that_a_partition_works_again()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var lines = new Lines();
        var target = new RecordingTarget { Before = (number, _) => number == 1 ? throw new IOException("down") : Task.CompletedTask };
        var forwarder = Forwarder(log, target, lines);

        await forwarder.RunAsync(CancellationToken.None);
        log.Time.Advance(TimeSpan.FromSeconds(7));
        await forwarder.RunAsync(CancellationToken.None);

        Assert.Contains("Information: Forwarder servicebus: partition 0 works again", lines.All);
    }

    [Fact]
    public async Task Is_each_outage_of_the_store_even_when_nothing_was_to_be_delivered_between_them()
    {
        await using var log = new SimulatedLog();
        var lines = new Lines();
        var forwarder = Forwarder(log, new RecordingTarget(), lines);
        await forwarder.RunAsync(CancellationToken.None);
        for (var outage = 0; outage < 2; outage++)
        {
            log.Table.Faults = _ => new TableFault.BeforeEffect(TableError.Unreachable);
            await forwarder.RunAsync(CancellationToken.None);
            log.Table.Faults = null;
            await forwarder.RunAsync(CancellationToken.None);
        }

        Assert.Equal(2, lines.All.Count(line => line.StartsWith("Error", StringComparison.Ordinal)));
        Assert.Equal(2, lines.All.Count(line => line.EndsWith("works again", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Is_that_a_target_does_not_return_although_it_was_cancelled()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var lines = new Lines();
        var (called, returns) = (new TaskCompletionSource(), new TaskCompletionSource());
        var forwarder = Forwarder(log, new RecordingTarget { Before = (_, _) => { called.TrySetResult(); return returns.Task; } }, lines);
        var run = forwarder.RunAsync(CancellationToken.None);
        await called.Task;

        log.Time.Advance(TimeSpan.FromSeconds(31));

        // Run and drain end, though the target never returns.
        await run;
        await forwarder.DisposeAsync();
        Assert.StartsWith("Error: Forwarder servicebus: partition 0: a delivery that began with ", lines.All[0], StringComparison.Ordinal);
        Assert.Contains("did not return", (await log.CheckpointAsync()).LastError, StringComparison.Ordinal);
        returns.SetResult();
    }

    private static ForwardingEngine Forwarder(SimulatedLog log, IForwardTarget target, Lines lines) =>
        log.Engine([new Forwarder("servicebus", target)], logger: lines);

    private sealed class Lines : ILogger<ForwardingEngine>
    {
        private readonly ConcurrentQueue<string> _all = new();

        public IReadOnlyList<string> All => [.. _all];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => _all.Enqueue($"{logLevel}: {formatter(state, exception)}");
    }
}

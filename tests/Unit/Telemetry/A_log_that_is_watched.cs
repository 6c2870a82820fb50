using System.Globalization;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Forwarding;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Telemetry;

public sealed class A_log_that_is_watched
{
    [Fact]
    public async Task Counts_and_times_its_transactions()
    {
        using var watched = new Watched();
        await using var log = new SimulatedLog();
        using var metrics = new OutpostMetrics();
        await using (var store = new TableEventStore(log.Table, 1, log.Clock, log.Sources, NullLogger.Instance, metrics))
            await new EventLog(store, log.Time).ExecuteAsync(Tallies.Count("a", "a1"), CancellationToken.None);

        Assert.Collection(
            watched.Measured,
            count => Assert.Equal("outpost.commits{partition=0} 1", count),
            duration => Assert.StartsWith("outpost.commit.duration{} ", duration, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Times_a_transaction_until_it_is_known_to_be_there()
    {
        using var watched = new Watched();
        await using var log = new SimulatedLog();
        using var metrics = new OutpostMetrics();
        await log.DoAsync(Tallies.Count("a", "a1"));
        var lost = false;
        log.Table.Faults = request =>
        {
            if (lost || request.Kind != TableOperation.Transaction) return null;
            lost = true;
            log.Time.Advance(TimeSpan.FromSeconds(4));
            return new TableFault.AfterEffect(TableError.ConnectionReset);
        };

        await using (var store = new TableEventStore(log.Table, 1, log.Clock, log.Sources, NullLogger.Instance, metrics))
            await new EventLog(store, log.Time).ExecuteAsync(Tallies.Count("a", "a2"), CancellationToken.None);

        var duration = Assert.Single(watched.Measured, line => line.StartsWith("outpost.commit.duration", StringComparison.Ordinal));
        Assert.InRange(double.Parse(duration.Split(' ')[1], CultureInfo.InvariantCulture), 4, 60);
        Assert.Single(watched.Measured, "outpost.commits{partition=0} 1");
    }

    [Fact]
    public async Task Tells_how_far_this_machine_s_clock_is_ahead()
    {
        using var watched = new Watched();
        using var metrics = new OutpostMetrics();
        var time = new HastyTime();
        var clock = new StoreClock(time, NullLogger<StoreClock>.Instance, metrics);
        var date = (time.GetUtcNow() - TimeSpan.FromSeconds(4321)).ToString("R", CultureInfo.InvariantCulture);
        using var transport = new HttpClientTransport(new Stamped(date));
        var pipeline = HttpPipelineBuilder.Build(new TableClientOptions { Transport = transport }, clock);
        // One alone is not believed.
        for (var i = 0; i < 2; i++)
        {
            var request = pipeline.CreateRequest();
            request.Uri.Reset(new Uri("https://account.table.core.windows.net/"));
            using var answer = await pipeline.SendRequestAsync(request, CancellationToken.None);
        }

        watched.ReadGauges();

        // The header has whole seconds: it is at least what the last of them leaves.
        Assert.Contains(
            watched.Measured,
            line => line.StartsWith("outpost.clock_skew{} ", StringComparison.Ordinal)
                && double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture) is >= 4320 and <= 4321);
    }

    // The timer moves between processes: one that saw a backlog long ago must not go on reporting it.
    [Fact]
    public async Task Reports_where_forwarders_stand_until_it_has_not_looked_for_ten_minutes()
    {
        using var watched = new Watched();
        await using var log = new SimulatedLog();
        using var metrics = new OutpostMetrics(log.Time);
        await log.DoAsync(Tallies.Count("a", "a1"));
        await using var engine = new ForwardingEngine(
            log.Store, log.Checkpoints, log.Watch, [new Forwarder("moved-away", new RecordingTarget())],
            new ForwardingOptions { Owner = "me", Linger = TimeSpan.Zero }, log.Sources, metrics, NullLogger<ForwardingEngine>.Instance);
        await engine.RunAsync(CancellationToken.None);
        log.Time.Advance(TimeSpan.FromMinutes(9));

        watched.ReadGauges();
        var before = Gauges();
        log.Time.Advance(TimeSpan.FromMinutes(2));
        watched.ReadGauges();

        Assert.Equal(
            ["outpost.backlog", "outpost.blocked", "outpost.failing", "outpost.late", "outpost.oldest_age", "outpost.orphaned", "outpost.parked"],
            before.Select(line => line.Split('{')[0]).Order());
        Assert.Equal(before, Gauges());

        List<string> Gauges() => [.. watched.Measured.Where(line => line.Contains("{forwarder=moved-away,partition=0}", StringComparison.Ordinal)
            && !line.StartsWith("outpost.forwarded", StringComparison.Ordinal))];
    }

    // A partition that is held is looked at every minute: who no longer does so does not run the timer any more.
    [Fact]
    public void Reports_that_retention_is_held_until_it_has_not_looked_for_ten_minutes()
    {
        using var watched = new Watched();
        var time = new HastyTime();
        using var metrics = new OutpostMetrics(time);
        metrics.RetentionHeld(411, isHeld: true);

        time.Advance(TimeSpan.FromMinutes(9));
        watched.ReadGauges();
        time.Advance(TimeSpan.FromMinutes(2));
        watched.ReadGauges();

        Assert.Single(watched.Measured, "outpost.retention.held{partition=411} 1");
    }

    private sealed class Stamped(string date) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { Headers = { { "Date", date } } });
    }
}

using Outpost.Forwarding;
using Outpost.Tests.Unit.Http;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>What a process keeps of the last ten minutes, so that a chart is full when a page opens.</summary>
public sealed class Recent_samples
{
    private readonly HastyTime _time = new();

    [Fact]
    public void Are_kept_for_ten_minutes_and_no_closer_than_five_seconds()
    {
        var recent = new RecentSamples(_time);
        for (var second = 0; second < 3600; second++)
        {
            recent.Add(new LogSample(second, []));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        var kept = recent.Read();
        Assert.Equal(Enumerable.Range(0, 120).Select(i => (TimeSpan.FromSeconds(600 - (5 * i)), 3000L + (5 * i))), kept.Select(one => (one.Age, one.Sample.Head)));
        Assert.True(kept.Count <= RecentSamples.Max);
        Assert.Equal(TimeSpan.FromHours(1), recent.Age);
    }

    [Fact]
    public void End_where_nobody_looks_any_more()
    {
        var recent = new RecentSamples(_time);
        recent.Add(new LogSample(1, []));

        _time.Advance(RecentSamples.KeptFor);
        Assert.Single(recent.Read());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(recent.Read());
    }

    [Fact]
    public async Task Sum_up_all_partitions_and_name_the_forwarders_of_this_process_first()
    {
        await using var log = await ParkedLog.WithAsync("a", "b", "c");
        await log.ForwardAsync(new RecordingTarget());
        await log.AddAsync("d", "e");
        await using var engine = log.Engine([new Forwarder("own", new RecordingTarget { Before = (_, _) => throw new IOException("down") })]);

        await engine.RunAsync(CancellationToken.None);

        var (_, sample) = Assert.Single(engine.Recent.Read());
        Assert.Equal(5, sample.Head);
        Assert.Equal([new ForwarderSample("own", 0, 5), new ForwarderSample("servicebus", 3, 2)], sample.Forwarders);
    }

    [Fact]
    public void Are_none_of_a_log_that_could_not_be_read_as_a_whole()
    {
        Assert.Null(LogSample.Of([State(0, 5), null], []));
        Assert.Equal(12, LogSample.Of([State(0, 5), State(1, 7)], [])!.Head);
    }

    [Fact]
    public void Are_bounded_however_many_forwarders_are_stored()
    {
        var many = Enumerable.Range(0, 1000).ToDictionary(i => $"f{i}", i => new Checkpoint { Forwarder = $"f{i}", NextOffset = i });

        Assert.Equal(LogSample.ForwardersMax, LogSample.Of([State(0, 5) with { Checkpoints = many }], [])!.Forwarders.Count);
    }

    [Fact]
    public async Task Come_along_with_the_status_where_they_are_asked_for()
    {
        await using var log = await ParkedLog.WithAsync("a");
        await using var engine = log.To(new RecordingTarget());
        await engine.RunAsync(CancellationToken.None);
        log.Time.Advance(TimeSpan.FromSeconds(60));
        var api = The_operations_API.Api(log, engine);

        var recent = (await AnswerAsync(Request("/api/status?recent=true"), ask => api.StatusAsync(ask, CancellationToken.None))).Json.GetProperty("recent");

        Assert.Equal(
            """{"beganSecondsAgo":60,"samples":[{"ageSeconds":60,"head":1,"forwarders":[{"name":"servicebus","next":0,"backlog":1}]},{"ageSeconds":0,"head":1,"forwarders":[{"name":"servicebus","next":1,"backlog":0}]}]}""",
            recent.GetRawText());
        foreach (var without in new[] { "", "?recent=false" })
            Assert.False((await AnswerAsync(Request($"/api/status{without}"), ask => api.StatusAsync(ask, CancellationToken.None))).Json.TryGetProperty("recent", out _));
        Assert.Equal(400, (await AnswerAsync(Request("/api/status?recent=yes"), ask => api.StatusAsync(ask, CancellationToken.None))).Status);
    }

    private static PartitionState State(int partition, long head) => new(partition, 0, head, null, new Dictionary<string, Checkpoint>());
}

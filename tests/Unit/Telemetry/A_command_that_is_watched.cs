using System.Diagnostics;

namespace Outpost.Tests.Unit.Telemetry;

public sealed class A_command_that_is_watched
{
    private const string Given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    private static readonly Idempotency OtherBody = new("count a", "k", "other");

    [Fact]
    public async Task Is_a_span_with_what_it_was_about_and_what_came_of_it()
    {
        using var watched = new Watched();
        await using var log = new SimulatedLog();

        await log.DoAsync(Tallies.Count("a", "a1"));

        var span = Assert.Single(watched.Spans);
        Assert.Equal(("command tally", ActivityKind.Internal, ActivityStatusCode.Unset), (span.DisplayName, span.Kind, span.Status));
        Assert.Equal(
            ["outpost.entity=tally", "outpost.subject=tally/a", "outpost.version=1", "outpost.result=done"],
            span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"));
    }

    [Fact]
    public async Task Fails_as_a_span_when_its_caller_gets_an_exception()
    {
        using var watched = new Watched();
        await using var log = new SimulatedLog();

        await Assert.ThrowsAsync<InvalidDataException>(() => log.RunAsync(Broken(new InvalidDataException("no tally"))));

        var span = Assert.Single(watched.Spans);
        Assert.Equal((ActivityStatusCode.Error, "no tally"), (span.Status, span.StatusDescription));
    }

    public static TheoryData<string, Command<Tally>> Commands => new()
    {
        { "done", Tallies.Count("a", "a2") },
        { "replayed", Tallies.Count("a", "a1", key: "k") },
        { "refused", Tallies.Count("a", "a2", max: 1) },
        { "stale", Tallies.Count("a", "a2") with { IfMatch = new VersionCondition([7]) } },
        { "key_reused", Tallies.Count("a", "a1") with { Idempotency = OtherBody } },
        { "too_large", Tallies.Count("a", "a2", events: Limits.EventsPerCommandMax + 1) },
        { "cancelled", Broken(new OperationCanceledException()) },
        { "failed", Broken(new InvalidDataException()) },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Is_counted_by_result(string result, Command<Tally> command)
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("a", "a1", key: "k"));
        using var metrics = new OutpostMetrics();
        using var watched = new Watched();

        _ = await Record.ExceptionAsync(() => new EventLog(log.Store, log.Time, metrics).ExecuteAsync(command, CancellationToken.None));

        Assert.Equal([$"outpost.commands{{result={result}}} 1"], watched.Measured);
        Assert.Equal(result, Assert.Single(watched.Spans).GetTagItem("outpost.result"));
    }

    [Fact]
    public async Task Keeps_the_caller_s_trace_parent_as_it_is()
    {
        using var watched = new Watched();
        await using var log = new SimulatedLog();
        using var around = Around();

        await log.DoAsync(Tallies.Count("a", "a1") with { TraceParent = Given });

        Assert.Equal(Given, Assert.Single(await log.EntriesAsync()).TraceParent);
        Assert.Equal(around.SpanId, Assert.Single(watched.Spans).ParentSpanId);
    }

    [Fact]
    public async Task Continues_the_caller_s_trace_where_there_is_no_span_around_it()
    {
        using var watched = new Watched();
        await using var log = new SimulatedLog();

        await log.DoAsync(Tallies.Count("a", "a1") with { TraceParent = Given });

        var span = Assert.Single(watched.Spans);
        Assert.Equal(Given, $"00-{span.TraceId}-{span.ParentSpanId}-01");
    }

    [Fact]
    public async Task Keeps_its_own_span_without_the_caller_having_to_do_anything()
    {
        using var watched = new Watched();
        await using var log = new SimulatedLog();
        using var around = Around();

        await log.DoAsync(Tallies.Count("a", "a1"));

        var span = Assert.Single(watched.Spans);
        Assert.Equal(around.TraceId, span.TraceId);
        Assert.Equal(span.Id, Assert.Single(await log.EntriesAsync()).TraceParent);
    }

    [Fact]
    public async Task Keeps_the_span_around_it_where_nobody_listens_to_its_own()
    {
        using var watched = new Watched(spans: false);
        await using var log = new SimulatedLog();
        using var around = Around();

        await log.DoAsync(Tallies.Count("a", "a1"));

        Assert.Equal(around.Id, Assert.Single(await log.EntriesAsync()).TraceParent);
    }

    [Fact]
    public async Task Keeps_no_trace_parent_where_there_is_no_trace()
    {
        await using var log = new SimulatedLog();

        await log.DoAsync(Tallies.Count("a", "a1"));

        Assert.Null(Assert.Single(await log.EntriesAsync()).TraceParent);
    }

    private static Command<Tally> Broken(Exception fault) => Tallies.Count("a", "a2") with { Decide = _ => throw fault };

    private static Activity Around() => new Activity("a caller's own").SetIdFormat(ActivityIdFormat.W3C).Start();
}

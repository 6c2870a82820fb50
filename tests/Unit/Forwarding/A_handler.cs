using System.Net;
using System.Text.Json;
using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class A_handler
{
    private readonly HastyTime _time = new();

    [Fact]
    public async Task Gets_events_of_its_type_in_order_and_the_others_are_passed_over()
    {
        var handler = new Handler();

        var delivery = await Target(handler).DeliverAsync([Entry(0), Entry(1, type: "Other"), Entry(2), Entry(3, type: "Other")], null, CancellationToken.None);

        Assert.Equal(new Delivery.Accepted(4), delivery);
        Assert.Equal(["0 step0", "2 step2"], handler.Handled);
    }

    public static TheoryData<string> Transient => ["timeout", "connection", "io", "socket", "client timeout", "408", "429", "500", "502", "503", "504"];

    [Theory]
    [MemberData(nameof(Transient))]
    public async Task That_fails_for_a_while_is_asked_again_for_ever(string kind)
    {
        var target = Target(new Handler { Fails = (_, _) => throw Error(kind) });

        for (var attempt = 0; attempt < 50; attempt++)
            Assert.True(Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Entry(0)], null, CancellationToken.None)).IsTransient);
    }

    [Fact]
    public async Task That_takes_too_long_is_asked_again_for_ever()
    {
        var handler = new Handler
        {
            Fails = async (_, ends) =>
            {
                var cancelled = new TaskCompletionSource();
                ends.Register(() => cancelled.TrySetCanceled(ends));
                _time.Advance(TimeSpan.FromSeconds(5));
                await cancelled.Task;
            },
        };
        var target = Target(handler);

        for (var attempt = 0; attempt < 20; attempt++)
            Assert.IsType<TimeoutException>(Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Entry(0)], null, CancellationToken.None)).Cause);
    }

    [Fact]
    public async Task That_is_told_to_stop_has_not_failed()
    {
        using var stop = new CancellationTokenSource();
        var target = Target(new Handler { Fails = async (_, ends) => { await stop.CancelAsync(); ends.ThrowIfCancellationRequested(); } });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => target.DeliverAsync([Entry(0)], null, stop.Token));
    }

    [Fact]
    public async Task Parks_an_event_at_once_when_it_says_so() =>
        Assert.Equal(
            new Delivery.Refused(1, "Never."),
            await Target(new Handler { Fails = (_, _) => throw new PermanentFailureException("Never.") }).DeliverAsync([Entry(0)], null, CancellationToken.None));

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    public async Task Never_sees_an_event_that_cannot_be_read(string payload)
    {
        var handler = new Handler();

        Assert.IsType<Delivery.Refused>(await Target(handler).DeliverAsync([Entry(0, payload)], null, CancellationToken.None));
        Assert.Empty(handler.Handled);
    }

    public static TheoryData<string> Unknown => ["bug", "400", "401", "409", "bad answer"];

    // What it reads itself may be no JSON: that says nothing about the event.
    [Theory]
    [MemberData(nameof(Unknown))]
    public async Task That_fails_for_an_unknown_reason_parks_the_event_the_fifth_time(string kind)
    {
        var target = Target(new Handler { Fails = (_, _) => throw Error(kind) });

        for (var round = 0; round < 2; round++)
        {
            for (var attempt = 1; attempt <= 4; attempt++)
                Assert.True(Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Entry(0)], null, CancellationToken.None)).IsTransient);
            // Retried by an operator, it has as many attempts again.
            Assert.Contains("Failed 5 times", Assert.IsType<Delivery.Refused>(await target.DeliverAsync([Entry(0)], null, CancellationToken.None)).Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task That_succeeded_in_the_end_has_all_attempts_again_when_the_event_comes_again()
    {
        var failures = 4;
        var target = Target(new Handler { Fails = (_, _) => failures-- > 0 ? throw Error("bug") : Task.CompletedTask });
        for (var attempt = 0; attempt < 4; attempt++) await target.DeliverAsync([Entry(0)], null, CancellationToken.None);
        Assert.IsType<Delivery.Accepted>(await target.DeliverAsync([Entry(0)], null, CancellationToken.None));
        failures = 1;

        Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Entry(0)], "replay", CancellationToken.None));
    }

    [Fact]
    public async Task Has_accepted_what_came_before_a_failure()
    {
        var handler = new Handler { Fails = (entry, _) => entry.Offset == 2 ? throw new PermanentFailureException("No.") : Task.CompletedTask };
        var target = Target(handler);

        Assert.Equal(new Delivery.Accepted(2), await target.DeliverAsync([Entry(0), Entry(1), Entry(2), Entry(3)], null, CancellationToken.None));
        Assert.IsType<Delivery.Refused>(await target.DeliverAsync([Entry(2), Entry(3)], null, CancellationToken.None));
    }

    [Fact]
    public async Task That_is_slow_lets_its_checkpoint_be_written_every_second()
    {
        var target = Target(new Handler { Fails = (_, _) => { _time.Advance(TimeSpan.FromSeconds(0.4)); return Task.CompletedTask; } });

        Assert.Equal(new Delivery.Accepted(3), await target.DeliverAsync([.. Enumerable.Range(0, 20).Select(i => Entry(i))], null, CancellationToken.None));
    }

    [Fact]
    public async Task Parks_only_the_bad_event_of_many_when_it_is_a_forwarder()
    {
        await using var log = await ParkedLog.WithAsync([.. Enumerable.Range(0, 100).Select(i => $"s{i}")]);
        var handler = new Handler { Fails = (entry, _) => entry.Offset == 50 ? throw Error("bug") : Task.CompletedTask };

        await log.ForwardAsync(Target(handler));

        Assert.Equal(["50: Failed 5 times: InvalidOperationException: bug"], await log.ParkedTextAsync());
        Assert.Equal(Enumerable.Range(0, 100).Except([50]).Select(i => $"{i} s{i}"), handler.Handled);
    }

    // Wrong settings look like that: what is none of the handler's business is no sign that it works.
    [Fact]
    public async Task That_refuses_everything_parks_ten_although_others_come_in_between()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 20; i++)
        {
            await log.AddAsync($"s{i}");
            await log.DoAsync(Tallies.Count($"o{i}", "o") with
            {
                Decide = _ => new Decision<Tally>.Accepted(new Tally(1, []), [new NewEvent("Other", "text/plain", "x"u8.ToArray())]),
            });
        }

        var run = await log.ForwardAsync(Target(new Handler { Fails = (_, _) => throw new PermanentFailureException("No such address.") }));

        Assert.Equal((1, 10), (run.FailedPartitions, (await log.CheckpointAsync()).Parked));
    }

    private HandlerTarget<Counted> Target(Handler handler) => new(handler, TallyJson.Default.Counted, new HandlerOptions(), _time);

    private static EventEntry Entry(long offset, string? payload = null, string type = nameof(Counted)) => new(
        new EventId("k3v9x2ab", 0, offset), type, "application/json",
        System.Text.Encoding.UTF8.GetBytes(payload ?? $$"""{"step":"step{{offset}}"}"""), default, "tally/a", 1, null, null);

    private static Exception Error(string kind) => kind switch
    {
        "timeout" => new TimeoutException(),
        "connection" => new HttpRequestException("Connection refused"),
        "io" => new IOException("reset"),
        "socket" => new System.Net.Sockets.SocketException(),
        "client timeout" => new TaskCanceledException("HttpClient.Timeout", new TimeoutException()),
        "bug" => new InvalidOperationException("bug"),
        "bad answer" => new JsonException("'<' is an invalid start of a value."),
        _ => new HttpRequestException("answer", null, (HttpStatusCode)int.Parse(kind, System.Globalization.CultureInfo.InvariantCulture)),
    };

    private sealed class Handler : IEventHandler<Counted>
    {
        public List<string> Handled { get; } = [];

        public Func<EventEntry, CancellationToken, Task>? Fails { get; init; }

        public async Task HandleAsync(Counted payload, EventEntry entry, CancellationToken cancellationToken)
        {
            if (Fails is not null) await Fails(entry, cancellationToken);
            Handled.Add($"{entry.Offset} {payload.Step}");
        }
    }
}

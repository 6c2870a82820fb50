using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class Answers_to_commands
{
    public static TheoryData<string, int, string, string?> Each => new()
    {
        { "not found", 404, "no-such-thing", null },
        { "conflict", 409, "wrong-state", null },
        { "stale", 412, "stale-version", null },
        { "stale, nothing there", 412, "stale-version", null },
        { "key reused", 422, "idempotency-key-reused", null },
        { "too large", 413, "too-large", null },
        { "busy", 503, "busy", "1" },
        { "unknown", 503, "outcome-unknown", "1" },
    };

    [Theory]
    [MemberData(nameof(Each))]
    public async Task Are_problems_where_it_was_not_done(string what, int status, string name, string? retryAfter)
    {
        CommandResult<Tally> result = what switch
        {
            "not found" => new CommandResult<Tally>.Refused(new Refusal(RefusalKind.NotFound, "no-such-thing", "why")),
            "conflict" => new CommandResult<Tally>.Refused(new Refusal(RefusalKind.Conflict, "wrong-state", "why")),
            "stale" => new CommandResult<Tally>.Stale(7),
            "stale, nothing there" => new CommandResult<Tally>.Stale(null),
            "key reused" => new CommandResult<Tally>.KeyReused(),
            "too large" => new CommandResult<Tally>.TooLarge("why"),
            "busy" => new CommandResult<Tally>.Busy("why"),
            _ => new CommandResult<Tally>.Unknown("why"),
        };
        var request = Request("/api/orders");

        var answer = await AnswerAsync(request, result.ToHttp(request.HttpContext.Response, _ => throw new InvalidOperationException()));

        Assert.Equal((status, name, retryAfter), (answer.Status, answer.ProblemName, answer["Retry-After"]));
        Assert.Equal(what == "stale", answer.Json.TryGetProperty("currentVersion", out _));
    }

    [Theory]
    [InlineData(true, "true")]
    [InlineData(false, null)]
    public async Task Say_whether_they_were_given_before(bool replayed, string? header)
    {
        var request = Request("/api/orders");

        var result = new CommandResult<Tally>.Done(new Tally(1, []), 3, replayed).ToHttp(
            request.HttpContext.Response, done => Results.Text($"{done.Version}"));

        var answer = await AnswerAsync(request, result);
        Assert.Equal((200, "3", header), (answer.Status, answer.Text, answer["Idempotency-Replayed"]));
    }

    [Fact]
    public async Task That_are_problems_have_the_members_of_RFC_9457_and_their_own()
    {
        var answer = await AnswerAsync(Request("/"), Problem.NotFound("other-log", "Why \"that\" is.").With("log", "k3v9x2ab").With("n", 3L));

        Assert.Equal(
            """{"type":"/api/problems/other-log","title":"Not found","status":404,"detail":"Why \"that\" is.","log":"k3v9x2ab","n":3}""", answer.Text);
        Assert.Null(answer["Retry-After"]);
    }

    [Fact]
    public async Task Round_up_the_seconds_after_which_to_try_again() =>
        Assert.Equal("3", (await AnswerAsync(Request("/"), Problem.Unavailable("busy", "", TimeSpan.FromSeconds(2.1))))["Retry-After"]);

    public static TheoryData<string, int, string> Faults => new()
    {
        { "store", 503, "store-unavailable" },
        { "layout", 503, "layout-mismatch" },
        { "anything", 500, "internal-error" },
        { "cancelled by nobody we know", 500, "internal-error" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Are_problems_without_internals_where_something_broke(string what, int status, string name)
    {
        Exception fault = what switch
        {
            "store" => new StoreUnavailableException("secret", new IOException("secret")),
            "layout" => new LayoutMismatchException("secret"),
            "anything" => new InvalidOperationException("secret"),
            _ => new OperationCanceledException("secret"),
        };
        var request = Request("/api/orders");
        var boundary = new FaultBoundary(NullLogger<FaultBoundary>.Instance, TimeProvider.System);

        var answer = await AnswerAsync(request, ask => boundary.RunAsync(ask, () => throw fault, CancellationToken.None));

        Assert.Equal((status, name, "nosniff"), (answer.Status, answer.ProblemName, answer["X-Content-Type-Options"]));
        Assert.DoesNotContain("secret", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Come_within_33_seconds_though_what_they_wait_for_never_ends()
    {
        var time = new HastyTime();
        var boundary = new FaultBoundary(NullLogger<FaultBoundary>.Instance, time);
        var answer = AnswerAsync(
            Request("/api/orders"), ask => boundary.RunAsync(ask, () => new TaskCompletionSource<IResult>().Task, CancellationToken.None));

        time.Advance(TimeSpan.FromSeconds(32.9));
        Assert.False(answer.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal((503, "store-unavailable"), ((await answer).Status, (await answer).ProblemName));
    }

    [Fact]
    public async Task Are_never_to_be_taken_for_something_else()
    {
        var boundary = new FaultBoundary(NullLogger<FaultBoundary>.Instance, TimeProvider.System);

        var answer = await AnswerAsync(
            Request("/api/orders"), ask => boundary.RunAsync(ask, () => Task.FromResult(Results.Text("<script>")), CancellationToken.None));

        Assert.Equal("nosniff", answer["X-Content-Type-Options"]);
    }

    [Fact]
    public async Task Are_nothing_for_a_caller_who_left()
    {
        using var left = new CancellationTokenSource();
        await left.CancelAsync();
        var boundary = new FaultBoundary(NullLogger<FaultBoundary>.Instance, TimeProvider.System);
        var request = Request("/api/orders");
        request.HttpContext.RequestAborted = left.Token;

        var answer = await AnswerAsync(request, ask => boundary.RunAsync(ask, () => throw new OperationCanceledException(left.Token), left.Token));

        Assert.Empty(answer.Body);
    }

    // Not an empty 200, which a caller would take for success.
    [Fact]
    public async Task Ask_to_come_again_when_the_host_stops()
    {
        using var stopping = new CancellationTokenSource();
        await stopping.CancelAsync();
        var boundary = new FaultBoundary(NullLogger<FaultBoundary>.Instance, TimeProvider.System);

        var answer = await AnswerAsync(
            Request("/api/orders"), ask => boundary.RunAsync(ask, () => throw new OperationCanceledException(stopping.Token), stopping.Token));

        Assert.Equal((503, "stopping", "1"), (answer.Status, answer.ProblemName, answer["Retry-After"]));
    }
}

using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Sdk;

/// <summary>What the pipeline repeats and what not; how the product handles unclear outcomes builds on it.</summary>
public class Retries
{
    private static readonly TableTransactionAction[] TwoRows =
    [
        new(TableTransactionActionType.Add, new TableEntity("p", "a")),
        new(TableTransactionActionType.Add, new TableEntity("p", "b")),
    ];

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task A_transaction_the_service_is_too_busy_for_is_sent_again(int status)
    {
        var transport = new ScriptedTransport(
            () => ScriptedResponse.Refusal(status, "ServerBusy"), () => Scripted.Committed(2));

        var answer = await Scripted.Table(transport).SubmitTransactionAsync(TwoRows);

        Assert.Equal([204, 204], answer.Value.Select(response => response.Status));
        Assert.Equal(2, transport.Log.Count);
        Assert.Equal(transport.Log[0].Body, transport.Log[1].Body);
    }

    [Fact]
    public async Task After_the_last_try_the_refusal_is_the_result()
    {
        Func<Response> busy = () => ScriptedResponse.Refusal(503, "ServerBusy");
        var transport = new ScriptedTransport(busy, busy, busy);
        var options = Scripted.Options(transport);
        options.Retry.MaxRetries = 2;
        var table = new TableClient(Scripted.ConnectionString, "things", options);

        var refused = await Assert.ThrowsAsync<RequestFailedException>(() => table.SubmitTransactionAsync(TwoRows));

        Assert.Equal((503, "ServerBusy", 3), (refused.Status, refused.ErrorCode, transport.Log.Count));
        Assert.NotNull(refused.GetRawResponse());
    }

    /// <summary>Trap: a transaction that was applied, but whose answer was lost, comes back as a conflict.</summary>
    [Fact]
    public async Task A_lost_answer_can_turn_a_success_into_a_conflict()
    {
        var transport = new ScriptedTransport(
            () => throw new IOException("Connection reset."),
            () => Scripted.RefusedInside("409 Conflict", "EntityAlreadyExists", "0:It already exists."));

        var refused = await Assert.ThrowsAsync<TableTransactionFailedException>(
            () => Scripted.Table(transport).SubmitTransactionAsync(TwoRows));

        Assert.Equal((409, 0, 2), (refused.Status, refused.FailedTransactionActionIndex, transport.Log.Count));
    }

    /// <summary>Trap: when every try failed on the connection, an AggregateException carries them all.</summary>
    [Fact]
    public async Task Lost_connections_only_end_in_an_AggregateException()
    {
        Func<Response> lost = () => throw new RequestFailedException("Connection reset.", new IOException());
        var transport = new ScriptedTransport(lost, lost, lost, lost);

        var failed = await Assert.ThrowsAsync<AggregateException>(
            () => Scripted.Table(transport).SubmitTransactionAsync(TwoRows));

        Assert.Equal(4, failed.InnerExceptions.Count);
    }

    /// <summary>Trap: outside it was accepted, so nobody but the caller can send it again.</summary>
    [Theory]
    [InlineData("500 Internal Server Error", "OperationTimedOut", 500)]
    [InlineData("503 Service Unavailable", "ServerBusy", 503)]
    [InlineData("429 Too Many Requests", "TooManyRequests", 429)]
    public async Task A_failure_inside_an_accepted_answer_is_not_repeated(string statusLine, string code, int status)
    {
        var transport = new ScriptedTransport(() => Scripted.RefusedInside(statusLine, code, "Busy."));

        var refused = await Assert.ThrowsAsync<TableTransactionFailedException>(
            () => Scripted.Table(transport).SubmitTransactionAsync(TwoRows));

        Assert.Equal((status, code, 1), (refused.Status, refused.ErrorCode, transport.Log.Count));
        Assert.Null(refused.FailedTransactionActionIndex);
        Assert.Null(refused.GetRawResponse());
    }

    [Fact]
    public async Task What_the_service_will_never_take_is_sent_once()
    {
        var transport = new ScriptedTransport(() => ScriptedResponse.Refusal(413, "RequestBodyTooLarge"));

        var refused = await Assert.ThrowsAsync<RequestFailedException>(
            () => Scripted.Table(transport).SubmitTransactionAsync(TwoRows));

        Assert.Equal((413, 1), (refused.Status, transport.Log.Count));
    }

    [Fact]
    public async Task Policies_added_to_the_options_see_each_call_and_each_try()
    {
        var transport = new ScriptedTransport(
            () => ScriptedResponse.Refusal(503, "ServerBusy"), () => Scripted.Committed(2));
        var (calls, tries) = (new Counter(), new Counter());
        var options = Scripted.Options(transport);
        options.AddPolicy(calls, HttpPipelinePosition.PerCall);
        options.AddPolicy(tries, HttpPipelinePosition.PerRetry);
        var table = new TableServiceClient(Scripted.ConnectionString, options).GetTableClient("things");

        await table.SubmitTransactionAsync(TwoRows);

        Assert.Equal((1, 2), (calls.Count, tries.Count));
    }

    [Fact]
    public async Task A_retry_policy_of_ones_own_replaces_the_built_in_one()
    {
        var transport = new ScriptedTransport(() => ScriptedResponse.Refusal(503, "ServerBusy"));
        var options = Scripted.Options(transport);
        options.RetryPolicy = new RetryPolicy(maxRetries: 0);
        var table = new TableClient(Scripted.ConnectionString, "things", options);

        await Assert.ThrowsAsync<RequestFailedException>(() => table.SubmitTransactionAsync(TwoRows));

        Assert.Single(transport.Log);
    }

    [Fact]
    public async Task Cancelling_ends_the_call_before_and_while_it_waits()
    {
        var table = await Azurite.NewTableAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => table.SubmitTransactionAsync(TwoRows, new CancellationToken(canceled: true)));

        using var cancel = new CancellationTokenSource();
        var transport = new ScriptedTransport(() =>
        {
            cancel.Cancel();
            return ScriptedResponse.Refusal(503, "ServerBusy");
        });
        var options = Scripted.Options(transport);
        options.Retry.Delay = options.Retry.MaxDelay = TimeSpan.FromMinutes(1);
        var waiting = new TableClient(Scripted.ConnectionString, "things", options);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => waiting.SubmitTransactionAsync(TwoRows, cancel.Token));
    }

    private sealed class Counter : HttpPipelineSynchronousPolicy
    {
        public int Count { get; private set; }

        public override void OnSendingRequest(HttpMessage message) => Count++;
    }
}

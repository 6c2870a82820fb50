using System.Diagnostics;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Outpost.Tests.Benchmarks;

/// <summary>Counts what a client really sends, the SDK's own repeats included: one policy per try.</summary>
internal sealed class RequestCounter : HttpPipelinePolicy
{
    private int _transactions;
    private int _pointReads;
    private int _queries;
    private int _others;
    private long _transactionTicks;

    public RequestCounts Now => new(
        Volatile.Read(ref _transactions),
        Volatile.Read(ref _pointReads),
        Volatile.Read(ref _queries),
        Volatile.Read(ref _others),
        Stopwatch.GetElapsedTime(0, Volatile.Read(ref _transactionTicks)));

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var isTransaction = Count(message.Request);
        var start = Stopwatch.GetTimestamp();
        await ProcessNextAsync(message, pipeline);
        if (isTransaction) Interlocked.Add(ref _transactionTicks, Stopwatch.GetTimestamp() - start);
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException("Everything here is asynchronous.");

    private bool Count(Request request)
    {
        var path = request.Uri.Path;
        var isTransaction = path.EndsWith("/$batch", StringComparison.Ordinal);
        ref var kind = ref _others;
        if (isTransaction) kind = ref _transactions;
        else if (request.Method == RequestMethod.Get && path.Contains("(PartitionKey=", StringComparison.Ordinal)) kind = ref _pointReads;
        else if (request.Method == RequestMethod.Get && path.EndsWith("()", StringComparison.Ordinal)) kind = ref _queries;
        Interlocked.Increment(ref kind);
        return isTransaction;
    }
}

/// <summary>Requests by kind.</summary>
/// <param name="Transactions">Entity group transactions.</param>
/// <param name="PointReads">Reads of one row by its keys.</param>
/// <param name="Queries">Range queries, page by page.</param>
/// <param name="Others">Everything else: tables, single writes.</param>
/// <param name="OnTheWire">How long transactions were under way, added up: sent by the client and not yet answered.</param>
internal sealed record RequestCounts(int Transactions, int PointReads, int Queries, int Others, TimeSpan OnTheWire)
{
    public int All => Transactions + PointReads + Queries + Others;

    public static RequestCounts operator -(RequestCounts after, RequestCounts before) => new(
        after.Transactions - before.Transactions,
        after.PointReads - before.PointReads,
        after.Queries - before.Queries,
        after.Others - before.Others,
        after.OnTheWire - before.OnTheWire);
}

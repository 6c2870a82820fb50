using System.Diagnostics.CodeAnalysis;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace Outpost.Tests.Testing;

/// <summary>
/// A <see cref="SimulatedTable"/> as one process reaches it: answers set the process's clock right, as in the pipeline of
/// the real client. Can be overridden to send something else than what was asked for.
/// </summary>
/// <param name="table">The service.</param>
/// <param name="clock">The process's idea of the service's time.</param>
internal class ProcessTable(SimulatedTable table, StoreClockPolicy clock) : TableClient
{
    // The clock looks at the first answers, and at some of the later ones: a look costs as much as the request.
    private const int LooksAlways = 10;
    private const int LooksOneIn = 8;
    private int _sent;
    private int _looks;

    public override string Name => table.Name;

    public override Task<Response<TableItem>> CreateIfNotExistsAsync(CancellationToken cancellationToken = default) =>
        SendAsync(end => table.CreateIfNotExistsAsync(end), answer => answer.GetRawResponse(), cancellationToken);

    public override Task<Response> AddEntityAsync<T>(T entity, CancellationToken cancellationToken = default) =>
        SendAsync(end => table.AddEntityAsync(entity, end), Itself, cancellationToken);

    public override Task<Response> UpdateEntityAsync<T>(
        T entity, ETag ifMatch, TableUpdateMode mode = TableUpdateMode.Merge, CancellationToken cancellationToken = default) =>
        SendAsync(end => table.UpdateEntityAsync(entity, ifMatch, mode, end), Itself, cancellationToken);

    public override Task<Response> UpsertEntityAsync<T>(
        T entity, TableUpdateMode mode = TableUpdateMode.Merge, CancellationToken cancellationToken = default) =>
        SendAsync(end => table.UpsertEntityAsync(entity, mode, end), Itself, cancellationToken);

    public override Task<Response> DeleteEntityAsync(
        string partitionKey, string rowKey, ETag ifMatch = default, CancellationToken cancellationToken = default) =>
        SendAsync(end => table.DeleteEntityAsync(partitionKey, rowKey, ifMatch, end), Itself, cancellationToken);

    public override Task<NullableResponse<T>> GetEntityIfExistsAsync<T>(
        string partitionKey, string rowKey, IEnumerable<string>? select = null, CancellationToken cancellationToken = default) =>
        SendAsync(
            end => table.GetEntityIfExistsAsync<T>(partitionKey, rowKey, select, end), answer => answer.GetRawResponse(), cancellationToken);

    public override Task<Response<IReadOnlyList<Response>>> SubmitTransactionAsync(
        IEnumerable<TableTransactionAction> transactionActions, CancellationToken cancellationToken = default) =>
        SendAsync(end => table.SubmitTransactionAsync(transactionActions, end), answer => answer.GetRawResponse(), cancellationToken);

    public override AsyncPageable<T> QueryAsync<T>(
        string? filter = null, int? maxPerPage = null, IEnumerable<string>? select = null, CancellationToken cancellationToken = default) =>
        new Pages<T>(this, table.QueryAsync<T>(filter, maxPerPage, select, cancellationToken), cancellationToken);

    private static Response Itself(Response answer) => answer;

    private Task<T> SendAsync<T>(Func<CancellationToken, Task<T>> send, Func<T, Response?> response, CancellationToken cancellationToken)
    {
        return ++_sent % LooksOneIn > 0 && _looks >= LooksAlways ? send(cancellationToken) : LookAsync();

        async Task<T> LookAsync()
        {
            T answer = default!;
            await clock(async () =>
            {
                answer = await send(cancellationToken);
                return response(answer);
            });
            _looks++;
            return answer;
        }
    }

    private sealed class Pages<T>(ProcessTable table, AsyncPageable<T> pages, CancellationToken cancellationToken)
        : AsyncPageable<T>(cancellationToken)
        where T : notnull
    {
        public override async IAsyncEnumerable<Page<T>> AsPages(string? continuationToken = null, int? pageSizeHint = null)
        {
            await using var each = pages.AsPages(continuationToken, pageSizeHint).GetAsyncEnumerator(CancellationToken.None);
            while (await table.SendAsync(_ => each.MoveNextAsync().AsTask(), has => has ? each.Current.GetRawResponse() : null, CancellationToken))
                yield return each.Current;
        }
    }
}

/// <summary>Has a process's clock see the answer of one request; null: there was none.</summary>
internal delegate ValueTask StoreClockPolicy(Func<Task<Response?>> request);

/// <summary>The client's pipeline around requests that are not made of bytes.</summary>
internal static class Pipeline
{
    /// <summary>The policy as the pipeline would run it.</summary>
    public static StoreClockPolicy Through(HttpPipelinePolicy policy) => async request =>
    {
        using var message = new HttpMessage(new NoRequest(), new ResponseClassifier());
        await policy.ProcessAsync(message, new HttpPipelinePolicy[] { new Last(request) });
    };

    private sealed class Last(Func<Task<Response?>> request) : HttpPipelinePolicy
    {
        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            if (await request() is { } response) message.Response = response;
        }

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();
    }

    private sealed class NoRequest : Request
    {
        public override string ClientRequestId { get; set; } = "";

        public override void Dispose()
        {
        }

        protected override void AddHeader(string name, string value)
        {
        }

        protected override bool ContainsHeader(string name) => false;

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => [];

        protected override bool RemoveHeader(string name) => false;

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value)
        {
            value = null;
            return false;
        }

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
        {
            values = null;
            return false;
        }
    }
}

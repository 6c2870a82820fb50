using Azure.Core;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Tables;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// One process's log in a table of its own, with the product's own client options, each request counted. Its first
/// commands have been run: what is left to measure is the steady state, without the first reads of layout and head.
/// </summary>
internal sealed class MeasuredLog : IAsyncDisposable
{
    private const int WarmUpCommands = 256; // enough that each of four partitions has read its head
    private readonly TableEventStore _store;
    private readonly TableClient _table;

    private MeasuredLog(string connectionString, int partitions, List<TableTransactionAction>? recorded)
    {
        var clock = new StoreClock(TestLog.Sources.Time, NullLogger<StoreClock>.Instance);
        var storage = new TableStorageOptions
        {
            ConnectionString = connectionString,
            TableName = Azurite.NewTableName(),
            Partitions = partitions,
        };
        TableClientOptions? options = null;
        _table = storage.CreateClient(clock, each =>
        {
            each.AddPolicy(Requests, HttpPipelinePosition.PerRetry);
            options = each;
        });
        if (recorded is not null) _table = new RecordingTableClient(connectionString, storage.TableName, options!, recorded);
        _store = new TableEventStore(_table, partitions, clock, TestLog.Sources, NullLogger.Instance);
        Log = new EventLog(_store, TestLog.Sources.Time);
    }

    public RequestCounter Requests { get; } = new();

    public EventLog Log { get; }

    /// <param name="partitions">Of the log.</param>
    /// <param name="recorded">Is given every row that is written, in order.</param>
    public static async Task<MeasuredLog> CreateAsync(int partitions = 1, List<TableTransactionAction>? recorded = null)
    {
        var log = new MeasuredLog(await Azurite.ConnectionStringAsync(), partitions, recorded);
        var workload = new OrderCommands();
        await Callers.RunAsync(64, WarmUpCommands, _ => workload.PlaceAsync(log.Log, withKey: true));
        return log;
    }

    /// <summary>Removes the table too: Azurite keeps everything in memory.</summary>
    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _table.DeleteAsync();
    }

    /// <summary>Keeps what a store writes, so that others can write the very same rows.</summary>
    private sealed class RecordingTableClient(
        string connectionString, string tableName, TableClientOptions options, List<TableTransactionAction> recorded)
        : TableClient(connectionString, tableName, options)
    {
        public override Task<Azure.Response<IReadOnlyList<Azure.Response>>> SubmitTransactionAsync(
            IEnumerable<TableTransactionAction> transactionActions, CancellationToken cancellationToken = default)
        {
            var actions = transactionActions.ToArray();
            recorded.AddRange(actions);
            return base.SubmitTransactionAsync(actions, cancellationToken);
        }
    }
}

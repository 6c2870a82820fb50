using Azure.Core;
using Azure.Data.Tables;

namespace Outpost.Tests.Benchmarks;

/// <summary>What the log is compared with, on a table of its own: the SDK's client and a loop.</summary>
internal sealed class BareWriter : IAsyncDisposable
{
    private readonly TableClient _table;
    private readonly RecordedCommands _commands;
    private readonly SemaphoreSlim _one = new(1, 1);

    private BareWriter(TableClient table, RequestCounter requests, RecordedCommands commands)
    {
        _table = table;
        Requests = requests;
        _commands = commands;
    }

    public RequestCounter Requests { get; }

    public static async Task<BareWriter> CreateAsync(RecordedCommands commands)
    {
        var requests = new RequestCounter();
        var options = new TableClientOptions();
        options.AddPolicy(requests, HttpPipelinePosition.PerRetry);
        return new BareWriter(await Azurite.NewTableAsync(options), requests, commands);
    }

    /// <summary>The fastest there is: full transactions of 100 rows, one after the other, nothing to decide or to keep.</summary>
    public async Task WriteFullTransactionsAsync(int transactions)
    {
        Azure.ETag? head = null;
        for (var number = 0; number < transactions; number++)
        {
            var rows = _commands.Rows(number * RecordedCommands.PerTransaction, RecordedCommands.PerTransaction, head);
            head = (await _table.SubmitTransactionAsync(rows)).Value[0].Headers.ETag;
        }
    }

    /// <summary>
    /// The simplest that is right: read the head, write one command's rows if it still is the head. Callers take turns,
    /// since side by side all but one of them would be refused.
    /// </summary>
    public async Task WriteNaivelyAsync(int number)
    {
        await _one.WaitAsync();
        try
        {
            var head = await _table.GetEntityIfExistsAsync<TableEntity>(RecordedCommands.Partition, RecordedCommands.HeadKey);
            await _table.SubmitTransactionAsync(_commands.Rows(number, 1, head.HasValue ? head.Value!.ETag : null));
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _table.DeleteAsync();
        _one.Dispose();
    }
}

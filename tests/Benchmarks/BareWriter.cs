using System.Threading.Channels;
using Azure.Core;
using Azure.Data.Tables;

namespace Outpost.Tests.Benchmarks;

/// <summary>What the log is compared with, on a table of its own: the SDK's client and a loop.</summary>
internal sealed class BareWriter : IAsyncDisposable
{
    private readonly TableClient _table;
    private readonly RecordedCommands _commands;
    private readonly SemaphoreSlim _one = new(1, 1);

    private Azure.ETag? _head;
    private int _next;

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

    /// <summary>One command's rows. Call it again only when it has returned.</summary>
    public async Task WriteNextAsync() =>
        _head = (await _table.SubmitTransactionAsync(_commands.Rows(_next++, 1, _head))).Value[0].Headers.ETag;

    /// <summary>
    /// The least that callers side by side can share: whoever waits when a transaction ends is in the next one, up to a full one.
    /// Returns when the transaction that has this caller's command is answered.
    /// </summary>
    public static async Task WriteTogetherAsync(ChannelWriter<TaskCompletionSource> waiting)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await waiting.WriteAsync(done);
        await done.Task;
    }

    /// <summary>Writes a transaction for those who wait, again and again, until nobody can come any more.</summary>
    public async Task ServeAsync(ChannelReader<TaskCompletionSource> waiting)
    {
        Azure.ETag? head = null;
        var together = new List<TaskCompletionSource>();
        for (var written = 0; await waiting.WaitToReadAsync(); written += together.Count)
        {
            together.Clear();
            while (together.Count < RecordedCommands.PerTransaction && waiting.TryRead(out var one)) together.Add(one);
            var rows = _commands.Rows(written, together.Count, head);
            head = (await _table.SubmitTransactionAsync(rows)).Value[0].Headers.ETag;
            foreach (var one in together) one.SetResult();
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

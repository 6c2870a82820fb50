using Azure;
using Azure.Data.Tables;
using Azure.Messaging.ServiceBus;
using Outpost.AspNetCore;
using Outpost.ServiceBus;
using Outpost.Tables;

namespace Outpost.Tests.Testing;

/// <summary>
/// What runs for each command, event or page, without any I/O: the micro-benchmarks time it, and a unit test holds what it
/// allocates. Payloads have 1 KiB, as in the benchmark.
/// </summary>
internal sealed class HotPaths
{
    /// <summary>Commands of a full transaction: an entity, a receipt and an event each, and the head.</summary>
    public const int CommandsPerTransaction = 33;

    /// <summary>Entries of a page.</summary>
    public const int EntriesPerPage = 100;

    private const string Log = "k3v9x2ab";
    private static readonly DateTimeOffset At = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly Change[] _changes = [.. Enumerable.Range(0, CommandsPerTransaction).Select(ChangeOf)];
    private readonly HeadRow _head = new(new ETag("W/\"1\""), 1_000, "c0", At);
    private readonly TableEntity _row;
    private readonly EventEntry[] _entries;

    public HotPaths()
    {
        _row = EventRow.Write("0000", 1_000, _changes[0].Events[0], PayloadColumns.Text("application/json", _changes[0].Events[0].Payload), _changes[0], "c1", At);
        var entry = EventRow.Read(_row, Log);
        _entries = [.. Enumerable.Range(0, EntriesPerPage).Select(i => entry with { Id = new EventId(Log, 0, 1_000 + i) })];
    }

    /// <summary>The row key of an offset, and back.</summary>
    public long Key() => Keys.EventOffset(Keys.Event(_entries[0].Offset));

    /// <summary>The rows of a full transaction, with their size estimate.</summary>
    public int Transaction()
    {
        var batch = new CommitBatch();
        foreach (var change in _changes) batch.TryAdd(new PendingChange(change, queuedAt: 0, CancellationToken.None));
        return batch.Build("0000", _head, "c1", At).Actions.Count;
    }

    /// <summary>An entry of its row.</summary>
    public EventEntry Entry() => EventRow.Read(_row, Log);

    /// <summary>A page of the feed.</summary>
    public int Page()
    {
        using var page = new EventPage.Builder(PageFormat.Native, 1_000, EntriesPerPage, types: null);
        page.Add(_entries);
        return page.Build().Json.Length;
    }

    /// <summary>A page of the feed as CloudEvents.</summary>
    public int CloudEvents()
    {
        using var page = new EventPage.Builder(PageFormat.CloudEvents("outpost"), 1_000, EntriesPerPage, types: null);
        page.Add(_entries);
        return page.Build().Json.Length;
    }

    /// <summary>The Service Bus message of an entry.</summary>
    public ServiceBusMessage Message() => MessageMapping.ToMessage(_entries[0], "outpost");

    private static Change ChangeOf(int number)
    {
        var payload = new byte[1024];
        Array.Fill(payload, (byte)'x');
        payload[0] = payload[^1] = (byte)'"';
        var @event = new NewEvent("OrderPlaced", "application/json", payload);
        return new Change(
            "order", $"o-{number}", Expected: null, payload, [@event], new Idempotency("orders", $"key-{number}", "fingerprint"),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "correlation");
    }
}

using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Client;

namespace Outpost.Tests.Unit.Docs;

// The code of docs/feed-readers.md, between marks of the same names.

internal static class ReadingTheFeed
{
    // <read>
    public static async Task ReadAsync(HttpClient http, string path, CancellationToken stopping)
    {
        var reader = new FeedReader(http, new FeedReaderOptions
        {
            Types = ["OrderPlaced", "OrderCancelled"],
            OnError = fault => Console.Error.WriteLine($"Again in {fault.RetryIn}: {fault.Error.Message}"),
        });
        await reader.RunAsync(new FileOffsetStore(path), HandleAsync, stopping);
    }

    private static async Task HandleAsync(FeedEntry entry, CancellationToken cancellationToken)
    {
        var order = entry.Payload<OrderSeen>()!;
        await Console.Out.WriteLineAsync($"{entry.Id} {entry.Type} {order.OrderId}".AsMemory(), cancellationToken);
    }

    private sealed record OrderSeen(string OrderId);
    // </read>

    // <decide>
    public static async Task ReadWhatIsLeftAsync(FeedReader reader, IOffsetStore store, Func<FeedEntry, CancellationToken, Task> handle, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await reader.RunAsync(store, handle, stopping);
            }
            catch (FeedException gone) when (gone.Failure == FeedFailure.Expired)
            {
                // A decision, not a default: what was deleted is never read.
                await store.StoreAsync(gone.Position! with { Offset = gone.OldestOffset!.Value }, stopping);
            }
        }
    }
    // </decide>
}

// <once>
/// <summary>Counts events by type. The counts and the position of a partition are in one partition of the table.</summary>
public sealed class EventsPerType(TableClient table)
{
    public async Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken) =>
        await RowAsync($"{partition:D4}", "position", cancellationToken) is { } row ? FeedPosition.Parse(row.GetString("Next")) : null;

    public async Task HandleAsync(FeedPage page, CancellationToken cancellationToken)
    {
        var key = $"{page.Next.Partition:D4}";
        var position = await RowAsync(key, "position", cancellationToken);
        // Another process may have been here since this one loaded: an exception, and it loads again.
        if (position?.GetString("Next") != page.Position?.ToString())
            throw new InvalidOperationException($"The position is {position?.GetString("Next")}, no longer {page.Position}.");

        var writes = new List<TableTransactionAction> { Write(key, "position", position, "Next", page.Next.ToString()) };
        foreach (var type in page.Entries.GroupBy(entry => entry.Type))
        {
            var count = await RowAsync(key, $"type {type.Key}", cancellationToken);
            writes.Add(Write(key, $"type {type.Key}", count, "Count", (count?.GetInt64("Count") ?? 0) + type.Count()));
        }

        // All or nothing, and nothing where a row has changed meanwhile. At most 100 rows.
        await table.SubmitTransactionAsync(writes, cancellationToken);
    }

    private static TableTransactionAction Write(string key, string row, TableEntity? old, string property, object value)
    {
        var entity = new TableEntity(key, row) { [property] = value };
        return old is null
            ? new TableTransactionAction(TableTransactionActionType.Add, entity)
            : new TableTransactionAction(TableTransactionActionType.UpdateReplace, entity, old.ETag);
    }

    private async Task<TableEntity?> RowAsync(string key, string row, CancellationToken cancellationToken)
    {
        var found = await table.GetEntityIfExistsAsync<TableEntity>(key, row, cancellationToken: cancellationToken);
        return found.HasValue ? found.Value : null;
    }
}
// </once>

// <hosted>
public sealed class OrderMails(IMailer mailer) : IFeedHandler
{
    public Task HandleAsync(FeedEntry entry, CancellationToken cancellationToken) =>
        mailer.SendAsync(entry.PayloadJson.GetProperty("customerId").GetString()!, entry.Type, key: entry.Id, cancellationToken);
}

public static class MailApp
{
    public static void AddMails(this IServiceCollection services, IConfiguration configuration) =>
        services.AddOutpostFeedReader<OrderMails>("mails", feed =>
        {
            feed.Address = new Uri(configuration["Orders:Url"]!);
            feed.Key = configuration["Orders:Key"];
            feed.Positions = new FileOffsetStore(configuration["Orders:PositionsFile"]!);
            feed.Reader = new FeedReaderOptions { Types = ["OrderPlaced", "OrderShipped"] };
        });
}
// </hosted>

public interface IMailer
{
    Task SendAsync(string customer, string what, string key, CancellationToken cancellationToken);
}

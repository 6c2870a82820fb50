namespace Outpost.Client;

/// <summary>Handles each entry at least once, and stores the position after the effect.</summary>
internal sealed class StoringHandler(
    IOffsetStore store, Func<FeedEntry, CancellationToken, Task> handle, bool storeEachEntry, TimeProvider time)
{
    // How long storing may take. It does not end when the reader stops, so that what was handled is stored.
    private static readonly TimeSpan StoreWithin = TimeSpan.FromSeconds(10);

    public async Task HandleAsync(FeedPage page, CancellationToken cancellationToken)
    {
        var handled = page.Position;
        var stored = page.Position;
        try
        {
            foreach (var entry in page.Entries)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await handle(entry, cancellationToken);
                handled = entry.Position.Next;
                if (storeEachEntry) stored = await StoreAsync(handled);
            }
        }
        catch (Exception failure) when (handled is not null && handled != stored)
        {
            await StoreAfterFailureAsync(handled, failure);
            throw;
        }

        if (stored != page.Next) await StoreAsync(page.Next);
    }

    private async Task StoreAfterFailureAsync(FeedPosition handled, Exception failure)
    {
        try
        {
            await StoreAsync(handled);
        }
        catch (Exception e) when (e is not FeedException)
        {
            throw new AggregateException("An entry failed, and so did storing the position of those before it.", failure, e);
        }
    }

    private async Task<FeedPosition> StoreAsync(FeedPosition position)
    {
        using var deadline = new CancellationTokenSource(StoreWithin, time);
        await store.StoreAsync(position, deadline.Token);
        return position;
    }
}

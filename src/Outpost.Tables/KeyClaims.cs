using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>
/// Idempotency keys that may be about several entities, and so partitions. Such a key has a home partition; a command
/// elsewhere first adds a claim there, in the place of a receipt, and leaves its receipt where its entity is. Whoever
/// comes with the same key meets either the claim or the receipt.
/// </summary>
internal sealed class KeyClaims(TableClient table, StoreClock clock)
{
    // Nothing that an app does sleeps that long and then goes on: whoever took over a claim sooner might see the first
    // command commit after all. Until then the key is refused to others, as a key that came with another body should be.
    private static readonly TimeSpan PendingMax = TimeSpan.FromDays(1);

    // Each try is lost only to somebody who changed the claim in between.
    private const int TriesMax = 5;

    /// <summary>Null: the key is another command's.</summary>
    public async Task<KeyClaim?> TakeAsync(int home, int partition, Idempotency idempotency, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= TriesMax; attempt++)
        {
            var mine = ClaimRow.Write(home, partition, idempotency);
            if (await TryWriteAsync(() => table.AddEntityAsync(mine, cancellationToken)) is { } added) return new KeyClaim(IsNew: true, added);
            if (await ReadAsync(home, mine.RowKey, cancellationToken) is not { } row) continue;
            if (ClaimRow.Read(row) is not { } claim) return null;
            // An earlier attempt of the same command, or our own write when only its answer got lost. Written anew in either
            // case: the earlier attempt may still be about to let go of what it wrote, and must not find that any more.
            var isRepeat = claim.Fingerprint == idempotency.Fingerprint && claim.Partition == partition;
            if (!isRepeat && (IsPending(claim) || await ReadAsync(claim.Partition, mine.RowKey, cancellationToken) is not null)) return null;
            var taken = await TryWriteAsync(() => table.UpdateEntityAsync(mine, new ETag(claim.Tag), TableUpdateMode.Replace, cancellationToken));
            if (taken is not null) return new KeyClaim(IsNew: !isRepeat, taken);
        }

        throw new StoreUnavailableException("The idempotency key's claim changed again and again: its command is sent many times at once.");
    }

    /// <summary>Best effort: a claim that stays behind is let go by whoever meets it later.</summary>
    public async Task ReleaseAsync(int home, Idempotency idempotency, KeyClaim claim, CancellationToken cancellationToken)
    {
        try
        {
            await DeleteAsync(home, Keys.Receipt(idempotency.Scope, idempotency.Key), claim.Tag, cancellationToken);
        }
        catch (Exception e) when (e is RequestFailedException || TableErrors.IsTransient(e, CancellationToken.None))
        {
        }
    }

    /// <summary>The receipt of the command that has this key, wherever it is; null: none has.</summary>
    public async Task<StoredReceipt?> ReadReceiptAsync(int partition, Idempotency idempotency, CancellationToken cancellationToken)
    {
        var key = Keys.Receipt(idempotency.Scope, idempotency.Key);
        if (await ReadAsync(partition, key, cancellationToken) is not { } row) return null;
        if (ClaimRow.Read(row) is not { } claim) return ReceiptRow.Read(row);
        if (await ReadAsync(claim.Partition, key, cancellationToken) is { } receipt) return ReceiptRow.Read(receipt);
        // Under way elsewhere: its fingerprint is all there is to tell.
        if (IsPending(claim)) return new StoredReceipt(claim.Fingerprint, default, 0);
        await DeleteAsync(partition, key, claim.Tag, cancellationToken);
        return null;
    }

    private bool IsPending(ClaimRow claim) => clock.Now - claim.At < PendingMax;

    private async Task<TableEntity?> ReadAsync(int partition, string key, CancellationToken cancellationToken)
    {
        var row = await table.GetEntityIfExistsAsync<TableEntity>(Keys.Partition(partition), key, cancellationToken: cancellationToken);
        return row.HasValue ? row.Value : null;
    }

    private async Task DeleteAsync(int partition, string key, string tag, CancellationToken cancellationToken) =>
        await TryWriteAsync(() => table.DeleteEntityAsync(Keys.Partition(partition), key, new ETag(tag), cancellationToken));

    // The new tag; null: it is not as it was expected to be.
    private static async Task<string?> TryWriteAsync(Func<Task<Response>> write)
    {
        try
        {
            return (await write()).Headers.ETag?.ToString() ?? "";
        }
        catch (RequestFailedException e) when (TableErrors.IsConflict(e) || TableErrors.IsChangedOrGone(e))
        {
            return null;
        }
    }
}

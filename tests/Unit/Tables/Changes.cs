using System.Text;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

/// <summary>Changes for tests of what is built from them.</summary>
internal static class Changes
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public static PendingChange Pending(Change change, CancellationToken caller = default) => new(change, queuedAt: 0, caller);

    public static Change Of(
        string id, int events = 1, string? key = null, long version = 0, int payloadBytes = 2, string contentType = "application/octet-stream") =>
        new(
            "order",
            id,
            version == 0 ? null : new StoredEntity("{}"u8.ToArray(), version, Tag(version)),
            Encoding.UTF8.GetBytes("{\"id\":1}"),
            [.. Enumerable.Range(0, events).Select(number => new NewEvent($"{id}-{number}", contentType, new byte[payloadBytes]))],
            key is null ? null : new Idempotency("POST /orders", key, "fingerprint"),
            TraceParent: null,
            CorrelationId: null);

    public static string Tag(long version) => $"W/\"datetime'v{version}'\"";

    public static HeadRow Head(long next, string commit = "before", long tag = 7, DateTimeOffset? at = null) =>
        new(new Azure.ETag(Tag(tag)), next, commit, at ?? Noon);

    public static RowList Rows(HeadRow head, string commit, params Change[] changes)
    {
        var batch = new CommitBatch();
        foreach (var change in changes) Assert.Equal(CommitBatch.Fit.Added, batch.TryAdd(Pending(change)));
        return batch.Build("0000", head, commit, Noon);
    }
}

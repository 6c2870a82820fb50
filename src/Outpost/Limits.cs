namespace Outpost;

/// <summary>The bounds that an app may meet, each with its reason.</summary>
public static class Limits
{
    /// <summary>Partition keys have four digits and an idle tick reads each partition; more would cost more than it gains.</summary>
    public const int PartitionsMax = 256;

    /// <summary>Table Storage takes at most 100 rows in one entity group transaction.</summary>
    internal const int TransactionRowsMax = 100;

    /// <summary>
    /// A transaction's body is at most 4 MiB. Row sizes are estimated from above, and a quarter is left for what
    /// the estimate cannot see.
    /// </summary>
    public const int TransactionBytesMax = 3 * 1024 * 1024;

    /// <summary>
    /// One state, payload or stored answer: 15 binary properties of 64 KiB, so that the row with everything else
    /// in it stays below the 1 MiB that an entity may have.
    /// </summary>
    public const int PayloadBytesMax = 15 * 64 * 1024;

    /// <summary>One row less than a transaction takes: head, domain entity and receipt ride along.</summary>
    public const int EventsPerCommandMax = TransactionRowsMax - 3;

    /// <summary>Encoded length of an entity's type and id together, or of a name, in a row key: Azurite takes keys of 512 characters, Azure 1 KiB.</summary>
    public const int KeyPartCharactersMax = 400;

    /// <summary>Characters of an idempotency key.</summary>
    public const int IdempotencyKeyMax = 128;

    /// <summary>Entries of one page: the store's own page bound.</summary>
    internal const int PageEntriesMax = 1000;

    /// <summary>Parked entries written or deleted together with a checkpoint: one row less than a transaction takes.</summary>
    internal const int ParkedPerWriteMax = TransactionRowsMax - 1;

    /// <summary>
    /// Entries that may wait behind refused ones in one partition and forwarder; beyond it the partition holds, since
    /// that many are a sign of something an operator has to look at.
    /// </summary>
    internal const int FollowersMax = 1000;

    /// <summary>Bytes of payload and metadata in one answer of the event API.</summary>
    internal const int PageBytesMax = 4 * 1024 * 1024;

    /// <summary>Commands waiting in one partition's writer; about two seconds of work, so waiting longer than that is refused.</summary>
    internal const int QueuedCommandsMax = 2000;

    /// <summary>
    /// Longest wait in a writer's queue: when the store is that slow, callers had better hear of it and come again.
    /// </summary>
    internal static readonly TimeSpan QueueWaitMax = TimeSpan.FromSeconds(20);

    /// <summary>
    /// From a command's beginning to its last decision. Whoever is held up for longer (a process that was suspended) commits
    /// no more: receipts, of which the shortest-lived live for an hour, would not stop a second commit.
    /// </summary>
    internal static readonly TimeSpan CommandLifeMax = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Longest wait for a command's answer, all that is done for it together. Whoever asked hears by then that nothing was
    /// written, or that nobody knows; gateways and clients give up soon after.
    /// </summary>
    internal static readonly TimeSpan CommandWaitMax = TimeSpan.FromSeconds(30);

    /// <summary>Commands that wait for their turn on one contended entity; one more is told that it is busy.</summary>
    internal const int EntityWaitersMax = 256;

    /// <summary>Decisions of one command before it is told that the entity is too contended.</summary>
    internal const int DecisionTriesMax = 20;

    /// <summary>How long a repeat waits for the answer of the command it repeats.</summary>
    internal static readonly TimeSpan RepeatWaitMax = TimeSpan.FromSeconds(10);

    /// <summary>Versions of domain entities a writer remembers, to hand back stale commands without asking the store.</summary>
    internal const int RecentVersionsMax = 10_000;

    /// <summary>Entities in older partitions of a grown log whose place a process remembers, to read them with one request; the rest cost one more.</summary>
    internal const int RememberedPlacesMax = 10_000;

    /// <summary>How long one batch may look for its outcome before its callers are told that it is unknown.</summary>
    internal static readonly TimeSpan OutcomeWaitMax = TimeSpan.FromSeconds(30);

    /// <summary>
    /// One call to the store with all its tries, whatever its answers ask for. The store answers in milliseconds, or after
    /// some seconds where it is overloaded; whoever waits longer had better be told so, and come again.
    /// </summary>
    internal static readonly TimeSpan StoreCallMax = TimeSpan.FromSeconds(10);

    /// <summary>Characters of a type name, content type, correlation id or trace parent stored with an event.</summary>
    public const int HeaderCharactersMax = 512;
}

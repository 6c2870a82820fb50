namespace Outpost;

/// <summary>The bounds that an app may meet, each with its reason.</summary>
public static class Limits
{
    /// <summary>The most partitions of a log. An idle tick reads each partition, so more would cost more than they gain.</summary>
    public const int PartitionsMax = 256;

    /// <summary>Table Storage takes at most 100 rows in one entity group transaction.</summary>
    internal const int TransactionRowsMax = 100;

    /// <summary>
    /// The most bytes that state and events of one command take in a transaction, by an upper estimate. Table Storage allows 4 MiB; a
    /// quarter of that is left for what the estimate cannot see.
    /// </summary>
    public const int TransactionBytesMax = 3 * 1024 * 1024;

    /// <summary>
    /// The most bytes of one state or payload. They are stored in 15 binary properties of 64 KiB, so that the whole row stays below the
    /// 1 MiB that Table Storage allows.
    /// </summary>
    public const int PayloadBytesMax = 15 * 64 * 1024;

    /// <summary>The most events of one command: the rows of a transaction, less one each for the head, the entity and the receipt.</summary>
    public const int EventsPerCommandMax = TransactionRowsMax - 3;

    /// <summary>
    /// The most characters, as encoded in a row key, of an entity's type and id together, or of a name. Azurite allows keys of 512
    /// characters, and Azure 1 KiB.
    /// </summary>
    public const int KeyPartCharactersMax = 400;

    /// <summary>The most characters of an idempotency key.</summary>
    public const int IdempotencyKeyMax = 128;

    /// <summary>The most entries of one page: the store's own bound.</summary>
    internal const int PageEntriesMax = 1000;

    /// <summary>The most parked entries written or deleted together with a checkpoint: one row less than a transaction takes.</summary>
    internal const int ParkedPerWriteMax = TransactionRowsMax - 1;

    /// <summary>
    /// The most entries that wait behind refused ones in one partition of a forwarder. Beyond it, the partition stops: that many are
    /// a sign of something that an operator must look at.
    /// </summary>
    internal const int FollowersMax = 1000;

    /// <summary>The most bytes of payload and metadata in one answer of the event API.</summary>
    internal const int PageBytesMax = 4 * 1024 * 1024;

    /// <summary>Commands that wait in one partition's writer. They are about two seconds of work; one more is refused.</summary>
    internal const int QueuedCommandsMax = 2000;

    /// <summary>
    /// Longest wait in a writer's queue. With a store that slow, callers do better to hear of it and come again.
    /// </summary>
    internal static readonly TimeSpan QueueWaitMax = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The longest time from the start of a command to its last decision. A process that was suspended for longer commits nothing:
    /// receipts may live for only an hour, so they would not stop a second commit.
    /// </summary>
    internal static readonly TimeSpan CommandLifeMax = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Longest wait for a command's answer, all steps together. By then the caller hears that nothing was written, or that the outcome is
    /// unknown. Gateways and clients give up soon after.
    /// </summary>
    internal static readonly TimeSpan CommandWaitMax = TimeSpan.FromSeconds(30);

    /// <summary>Commands that wait for their turn on one contended entity. One more hears that the entity is busy.</summary>
    internal const int EntityWaitersMax = 256;

    /// <summary>Decisions of one command before its caller hears that the entity is too contended.</summary>
    internal const int DecisionTriesMax = 20;

    /// <summary>How long a repeat waits for the answer of the command it repeats.</summary>
    internal static readonly TimeSpan RepeatWaitMax = TimeSpan.FromSeconds(10);

    /// <summary>Versions of domain entities that a writer remembers, so that it refuses stale commands without a request to the store.</summary>
    internal const int RecentVersionsMax = 10_000;

    /// <summary>
    /// How many entities in older places of a grown log a process remembers, so that it reads each with one request. Others cost
    /// more requests.
    /// </summary>
    internal const int RememberedPlacesMax = 10_000;

    /// <summary>How long one batch may look for its outcome before its callers hear that it is unknown.</summary>
    internal static readonly TimeSpan OutcomeWaitMax = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The longest call to the store with all its tries, whatever its answers ask for. The store answers in milliseconds, or in some
    /// seconds when it is overloaded. After that, callers are told, and can come back later.
    /// </summary>
    internal static readonly TimeSpan StoreCallMax = TimeSpan.FromSeconds(10);

    /// <summary>The most characters of a type name, content type, correlation id or trace parent that is stored with an event.</summary>
    public const int HeaderCharactersMax = 512;
}

using Outpost.Forwarding;

namespace Outpost;

/// <summary>What the log needs of a store. Implemented by Outpost.Tables.</summary>
internal interface IEventStore
{
    /// <summary>
    /// The log's id and partition counts as this process knows them: read (or created) once, and again as soon as a head tells
    /// that the log has grown.
    /// </summary>
    /// <exception cref="LayoutMismatchException">The log has another partition count or schema than this process.</exception>
    ValueTask<LogLayout> LayoutAsync(CancellationToken cancellationToken);

    /// <summary>The layout as it is stored now; from then on it is what <see cref="LayoutAsync"/> answers.</summary>
    Task<LogLayout> RefreshLayoutAsync(CancellationToken cancellationToken);

    /// <summary>A domain entity as stored, or null.</summary>
    Task<StoredEntity?> ReadEntityAsync(int partition, string type, string id, CancellationToken cancellationToken);

    /// <summary>The receipt of a command, or null.</summary>
    Task<StoredReceipt?> ReadReceiptAsync(int partition, Idempotency idempotency, CancellationToken cancellationToken);

    /// <summary>Records one change with its events, all or nothing.</summary>
    Task<CommitResult> CommitAsync(int partition, Change change, CancellationToken cancellationToken);

    /// <summary>
    /// Entries from <paramref name="offset"/> on, dense and in order, at most <paramref name="limit"/> (up to
    /// <see cref="Limits.PageEntriesMax"/>); fewer where they are large. Empty when there is none at that offset: see
    /// <see cref="ReadPartitionAsync"/> for why.
    /// </summary>
    Task<IReadOnlyList<EventEntry>> ReadEventsAsync(int partition, long offset, int limit, CancellationToken cancellationToken);

    /// <summary>The time of one entry; null when it is not there (yet, or any more).</summary>
    Task<DateTimeOffset?> ReadTimestampAsync(int partition, long offset, CancellationToken cancellationToken);

    /// <summary>A partition's head, oldest offset and checkpoints, in one request.</summary>
    Task<PartitionState> ReadPartitionAsync(int partition, CancellationToken cancellationToken);

    /// <summary>The highest heads this process has seen, without asking the store.</summary>
    PartitionHeads Heads { get; }

    /// <summary>Now, by the store's clock as far as it can be told, UTC.</summary>
    DateTimeOffset Now { get; }
}

/// <summary>A domain entity as stored.</summary>
/// <param name="State">The state as serialized.</param>
/// <param name="Version">From 1, one more with each change.</param>
/// <param name="Tag">The store's concurrency token.</param>
internal sealed record StoredEntity(ReadOnlyMemory<byte> State, long Version, string Tag)
{
    /// <summary>Keys of its row.</summary>
    public (string PartitionKey, string RowKey) Place { get; init; }
}

/// <summary>What is kept of a command that had an idempotency key.</summary>
/// <param name="Fingerprint">Hash of the request.</param>
/// <param name="State">State right after the command, as serialized.</param>
/// <param name="Version">Version right after it.</param>
internal sealed record StoredReceipt(string Fingerprint, ReadOnlyMemory<byte> State, long Version)
{
    /// <summary>Keys of its row.</summary>
    public (string PartitionKey, string RowKey) Place { get; init; }
}

/// <summary>One entity's change with its events: what goes into one transaction, or nowhere.</summary>
/// <param name="EntityType">Name of the kind of entity.</param>
/// <param name="EntityId">Which entity.</param>
/// <param name="Expected">What the decision was made on; null: the entity does not exist.</param>
/// <param name="State">New state, serialized.</param>
/// <param name="Events">At least one.</param>
/// <param name="Idempotency">Leaves a receipt.</param>
/// <param name="TraceParent">Kept with the events.</param>
/// <param name="CorrelationId">Kept with the events.</param>
internal sealed record Change(
    string EntityType,
    string EntityId,
    StoredEntity? Expected,
    ReadOnlyMemory<byte> State,
    IReadOnlyList<NewEvent> Events,
    Idempotency? Idempotency,
    string? TraceParent,
    string? CorrelationId)
{
    /// <summary>The subject of the events.</summary>
    public string Subject => $"{EntityType}/{EntityId}";

    /// <summary>
    /// <see cref="LogLayout.Generation"/> of the layout by which the entity was looked for everywhere. A new entity is taken only
    /// while the log has not grown since.
    /// </summary>
    public int Generation { get; init; } = 1;

    /// <summary>The entity's version after the change.</summary>
    public long Version => (Expected?.Version ?? 0) + 1;
}

/// <summary>What came of a change.</summary>
internal enum CommitResult
{
    /// <summary>It is in the log.</summary>
    Committed,

    /// <summary>The entity is no longer what the decision was made on; decide again.</summary>
    EntityChanged,

    /// <summary>The command was done before; its receipt tells.</summary>
    DoneBefore,

    /// <summary>Too many commands are waiting; nothing was written.</summary>
    QueueFull,

    /// <summary>It can no longer be told whether it is in the log.</summary>
    Unknown,

    /// <summary>The entity is new, and the log has grown since it was looked for: look again, by the new layout. Nothing was written.</summary>
    LogGrown,
}

/// <summary>Where a partition stands.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Oldest">Oldest retained offset.</param>
/// <param name="Head">Next offset to be written.</param>
/// <param name="HeadTimestamp">Time of the last commit; null when there was none.</param>
/// <param name="Checkpoints">By forwarder name.</param>
internal sealed record PartitionState(
    int Partition,
    long Oldest,
    long Head,
    DateTimeOffset? HeadTimestamp,
    IReadOnlyDictionary<string, Checkpoint> Checkpoints)
{
    /// <summary>What operators ask of forwarders, by their names.</summary>
    public IReadOnlyDictionary<string, Control> Controls { get; init; } = new Dictionary<string, Control>();

    /// <summary>Which processes wish to have leases that others hold, by forwarders' names.</summary>
    public IReadOnlyDictionary<string, LeaseWish> Wishes { get; init; } = new Dictionary<string, LeaseWish>();

    /// <summary>When this was read, by the store's clock.</summary>
    public DateTimeOffset ReadAt { get; init; }

    /// <summary>How many counts the log had when the head was written last: <see cref="LogLayout.Generation"/>, or one more while it grows.</summary>
    internal int Generation { get; init; } = 1;

    /// <summary>How far retention has come.</summary>
    public Trimmed Trimmed { get; init; } = new(0, 0, null);

    /// <summary>Forwarders whose checkpoint or control row is damaged: what is known of them is not enough to go on.</summary>
    public IReadOnlyDictionary<string, DamagedRowException> Damaged { get; init; } = new Dictionary<string, DamagedRowException>();

    /// <summary>A forwarder's checkpoint; null: it has none.</summary>
    /// <exception cref="DamagedRowException">One of the forwarder's rows is damaged.</exception>
    public Checkpoint? CheckpointOf(string forwarder) => Intact(forwarder).Checkpoints.GetValueOrDefault(forwarder);

    /// <summary>What operators ask of a forwarder.</summary>
    /// <exception cref="DamagedRowException">One of the forwarder's rows is damaged.</exception>
    public Control ControlOf(string forwarder) => Intact(forwarder).Controls.GetValueOrDefault(forwarder) ?? Control.None;

    // Thrown once more each time: the one that is kept has been thrown elsewhere.
    private PartitionState Intact(string forwarder) => Damaged.TryGetValue(forwarder, out var damage)
        ? throw damage.In(damage.Table ?? "")
        : this;
}

/// <summary>How far retention has come in a partition.</summary>
/// <param name="Rows">The rows of all events below are deleted; from here to <see cref="PartitionState.Oldest"/> some may still be there.</param>
/// <param name="Receipts">The receipts of all events below are deleted.</param>
/// <param name="Tag">The store's concurrency token; null: nothing was ever trimmed.</param>
internal sealed record Trimmed(long Rows, long Receipts, string? Tag);

/// <summary>The stored log does not fit this process's settings or version, or is not the one it was when the process started.</summary>
public sealed class LayoutMismatchException : OutpostException
{
    internal LayoutMismatchException(string message)
        : base(message)
    {
    }
}

/// <summary>A change that does not fit in one transaction. Nothing was written.</summary>
internal sealed class TooLargeException(string message) : OutpostException(message);

/// <summary>The store cannot be reached, or answers that it is overloaded. Trying again later helps.</summary>
public sealed class StoreUnavailableException : OutpostException
{
    /// <param name="message">One sentence, for operators.</param>
    /// <param name="innerException">What the client threw.</param>
    internal StoreUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>What is wrong, as a short name that stays the same: <c>store-away</c>, <c>store-forbidden</c>, <c>store-unreadable</c> or <c>table-missing</c>.</summary>
    public string Code { get; internal init; } = "store-away";
}

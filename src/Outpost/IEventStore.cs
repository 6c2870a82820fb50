using Outpost.Forwarding;

namespace Outpost;

/// <summary>What the log needs of a store. Outpost.Tables implements it.</summary>
internal interface IEventStore
{
    /// <summary>
    /// The log's id and partition counts, as this process knows them. They are read (or created) once, and read again as soon as a
    /// head shows that the log has grown.
    /// </summary>
    /// <exception cref="LayoutMismatchException">The log has another partition count or schema than this process.</exception>
    ValueTask<LogLayout> LayoutAsync(CancellationToken cancellationToken);

    /// <summary>Reads the stored layout. From then on, <see cref="LayoutAsync"/> returns this one.</summary>
    Task<LogLayout> RefreshLayoutAsync(CancellationToken cancellationToken);

    /// <summary>A domain entity as stored; null if there is none.</summary>
    Task<StoredEntity?> ReadEntityAsync(int partition, string type, string id, CancellationToken cancellationToken);

    /// <summary>The receipt of a command; null if there is none.</summary>
    Task<StoredReceipt?> ReadReceiptAsync(int partition, Idempotency idempotency, CancellationToken cancellationToken);

    /// <summary>Records one change with its events, all or nothing.</summary>
    Task<CommitResult> CommitAsync(int partition, Change change, CancellationToken cancellationToken);

    /// <summary>
    /// Entries from <paramref name="offset"/> on, in order and without holes: at most <paramref name="limit"/> (up to
    /// <see cref="Limits.PageEntriesMax"/>), and fewer if they are large. Empty if there is no entry at that offset;
    /// <see cref="ReadPartitionAsync"/> shows why.
    /// </summary>
    Task<IReadOnlyList<EventEntry>> ReadEventsAsync(int partition, long offset, int limit, CancellationToken cancellationToken);

    /// <summary>The time of one entry; null if it is not there yet, or no longer.</summary>
    Task<DateTimeOffset?> ReadTimestampAsync(int partition, long offset, CancellationToken cancellationToken);

    /// <summary>A partition's head, oldest offset and checkpoints, in one request.</summary>
    Task<PartitionState> ReadPartitionAsync(int partition, CancellationToken cancellationToken);

    /// <summary>The highest heads that this process has seen. It asks the store nothing.</summary>
    PartitionHeads Heads { get; }

    /// <summary>The current time by the store's clock, as well as this process knows it, in UTC.</summary>
    DateTimeOffset Now { get; }
}

/// <summary>A domain entity as stored.</summary>
/// <param name="State">The state as serialized.</param>
/// <param name="Version">The version: 1 when the entity is created, one more with each change.</param>
/// <param name="Tag">The store's concurrency token.</param>
internal sealed record StoredEntity(ReadOnlyMemory<byte> State, long Version, string Tag)
{
    /// <summary>Keys of the row.</summary>
    public (string PartitionKey, string RowKey) Place { get; init; }
}

/// <summary>The receipt of a command that had an idempotency key.</summary>
/// <param name="Fingerprint">Hash of the request.</param>
/// <param name="State">State right after the command, as serialized.</param>
/// <param name="Version">Version right after the command.</param>
internal sealed record StoredReceipt(string Fingerprint, ReadOnlyMemory<byte> State, long Version)
{
    /// <summary>Keys of the row.</summary>
    public (string PartitionKey, string RowKey) Place { get; init; }
}

/// <summary>A change of one entity with its events. All of it goes into one transaction, or nothing does.</summary>
/// <param name="EntityType">Name of the kind of entity.</param>
/// <param name="EntityId">Id of the entity.</param>
/// <param name="Expected">The entity that the decision was made on; null if it does not exist.</param>
/// <param name="State">New state, serialized.</param>
/// <param name="Events">One or more events.</param>
/// <param name="Idempotency">The idempotency key, for which a receipt is kept; null if the command has none.</param>
/// <param name="TraceParent">W3C <c>traceparent</c> to keep with the events.</param>
/// <param name="CorrelationId">Correlation id to keep with the events.</param>
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
    /// <see cref="LogLayout.Generation"/> of the layout by which the entity was looked for. A new entity is accepted only if the log
    /// has not grown since.
    /// </summary>
    public int Generation { get; init; } = 1;

    /// <summary>The entity's version after the change.</summary>
    public long Version => (Expected?.Version ?? 0) + 1;
}

/// <summary>The outcome of a change.</summary>
internal enum CommitResult
{
    /// <summary>The change is in the log.</summary>
    Committed,

    /// <summary>The entity is no longer the one that the decision was made on. Decide again.</summary>
    EntityChanged,

    /// <summary>The command was done before. Its receipt has the result.</summary>
    DoneBefore,

    /// <summary>Too many commands are waiting. Nothing was written.</summary>
    QueueFull,

    /// <summary>It cannot be known any more whether the change is in the log.</summary>
    Unknown,

    /// <summary>The entity is new, and the log has grown since the search for it. Nothing was written. Look again, by the new layout.</summary>
    LogGrown,
}

/// <summary>The state of a partition.</summary>
/// <param name="Partition">Number of the partition.</param>
/// <param name="Oldest">Oldest retained offset.</param>
/// <param name="Head">Next offset to be written.</param>
/// <param name="HeadTimestamp">Time of the last commit; null if there was none.</param>
/// <param name="Checkpoints">Checkpoints by name of the forwarder.</param>
internal sealed record PartitionState(
    int Partition,
    long Oldest,
    long Head,
    DateTimeOffset? HeadTimestamp,
    IReadOnlyDictionary<string, Checkpoint> Checkpoints)
{
    /// <summary>What operators ask for, by name of the forwarder.</summary>
    public IReadOnlyDictionary<string, Control> Controls { get; init; } = new Dictionary<string, Control>();

    /// <summary>Wishes for leases that other processes hold, by name of the forwarder.</summary>
    public IReadOnlyDictionary<string, LeaseWish> Wishes { get; init; } = new Dictionary<string, LeaseWish>();

    /// <summary>When this state was read, by the store's clock.</summary>
    public DateTimeOffset ReadAt { get; init; }

    /// <summary>The log's <see cref="LogLayout.Generation"/> at the last write of the head, or one more while the log grows.</summary>
    internal int Generation { get; init; } = 1;

    /// <summary>How far retention has come.</summary>
    public Trimmed Trimmed { get; init; } = new(0, 0, null);

    /// <summary>The damage of forwarders whose checkpoint or control row is damaged, by name. They cannot go on.</summary>
    public IReadOnlyDictionary<string, DamagedRowException> Damaged { get; init; } = new Dictionary<string, DamagedRowException>();

    /// <summary>A forwarder's checkpoint; null if it has none.</summary>
    /// <exception cref="DamagedRowException">One of the forwarder's rows is damaged.</exception>
    public Checkpoint? CheckpointOf(string forwarder) => Intact(forwarder).Checkpoints.GetValueOrDefault(forwarder);

    /// <summary>What operators ask of a forwarder.</summary>
    /// <exception cref="DamagedRowException">One of the forwarder's rows is damaged.</exception>
    public Control ControlOf(string forwarder) => Intact(forwarder).Controls.GetValueOrDefault(forwarder) ?? Control.None;

    // Throws a new exception each time, because the stored one has been thrown elsewhere.
    private PartitionState Intact(string forwarder) => Damaged.TryGetValue(forwarder, out var damage)
        ? throw damage.In(damage.Table ?? "")
        : this;
}

/// <summary>How far retention has come in a partition.</summary>
/// <param name="Rows">The rows of all events below this offset are deleted. From here to <see cref="PartitionState.Oldest"/>, some may still be there.</param>
/// <param name="Receipts">The receipts of all events below this offset are deleted.</param>
/// <param name="Tag">The store's concurrency token; null if nothing was ever trimmed.</param>
internal sealed record Trimmed(long Rows, long Receipts, string? Tag);

/// <summary>The stored log does not fit the settings or version of this process, or is not the one it was when the process started.</summary>
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

    /// <summary>A stable name for the fault: <c>store-away</c>, <c>store-forbidden</c>, <c>store-unreadable</c> or <c>table-missing</c>.</summary>
    public string Code { get; internal init; } = "store-away";
}

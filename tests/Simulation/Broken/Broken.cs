namespace Outpost.Tests.Simulation;

/// <summary>What is broken on purpose, to see that the simulation notices.</summary>
internal enum Broken
{
    Nothing,

    /// <summary>Two writers give their commits the same ids.</summary>
    CommitIdReused,

    /// <summary>The head is written whatever is there.</summary>
    HeadWithoutIfMatch,

    /// <summary>An own commit whose answer got lost counts as somebody else's.</summary>
    OwnCommitNotRecognised,

    /// <summary>What is not there yet counts as what never comes: it goes again as another list, and both may land.</summary>
    RegroupedBeforeItCannotLand,

    /// <summary>A receipt is written after its transaction, by itself.</summary>
    ReceiptOutsideTransaction,

    /// <summary>Head and events are one transaction, state and receipts another.</summary>
    TransactionSplit,

    /// <summary>Nobody looks for a receipt, so a repeat is refused by the rules its original passed.</summary>
    RepeatRefused,

    /// <summary>Deliveries count before the target has them.</summary>
    CheckpointBeforeSend,

    /// <summary>Checkpoints are written whatever is there.</summary>
    CheckpointWithoutIfMatch,

    /// <summary>Whether a lease is over is told by the reader's own clock.</summary>
    LeaseByLocalClock,

    /// <summary>A lease that is taken keeps its epoch.</summary>
    LeaseWithoutEpoch,

    /// <summary>Whoever takes a lease over does not know whose followers are held.</summary>
    FollowersNotHeld,

    /// <summary>What is parked is not written together with the checkpoint, but after it.</summary>
    ParkedAfterCheckpoint,

    /// <summary>Retention does not mind checkpoints.</summary>
    RetentionAheadOfCheckpoint,

    /// <summary>Retention does not mind parked entries.</summary>
    RetentionAheadOfParked,

    /// <summary>Rows are deleted before readers are told.</summary>
    OldestMovedLate,

    /// <summary>Receipts are deleted with the first retention that comes.</summary>
    ReceiptsDeletedEarly,

    /// <summary>A page counts as final as soon as there is something in it.</summary>
    PageFinalTooEarly,

    /// <summary>A log grows, and its old heads are left as they are.</summary>
    FenceLeftOut,

    /// <summary>The new count is used before the last old head is written.</summary>
    OldHeadWrittenLast,

    /// <summary>An entity is looked for only where earlier counts put it.</summary>
    NewestPlaceNotLookedAt,

    /// <summary>Nobody asks whether the log has grown before saying that there is no such entity.</summary>
    GenerationCachedTooLong,

    /// <summary>A consumer's handler takes a failure for success.</summary>
    FailurePassedOver,

    /// <summary>The date of a single answer tells whether a lease is over.</summary>
    DateBelieved,

    /// <summary>The status does not have why a forwarder fails.</summary>
    FailureNotTold,

    /// <summary>The status takes a damaged checkpoint for one that is not there yet.</summary>
    DamageNotTold,

    /// <summary>The status waits for a store that does not answer, for as long as that takes.</summary>
    StatusWithoutEnd,

    /// <summary>A backup does not copy again what was committed meanwhile.</summary>
    BackupWithoutCut,
}

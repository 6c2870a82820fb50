namespace Outpost.Tests.Simulation;

/// <summary>Everything that goes wrong, or is done on purpose at a bad moment.</summary>
internal enum FaultKind
{
    // Of one request to the table.
    RequestLost,
    ResponseLost,
    TimeoutBeforeEffect,
    TimeoutAfterEffect,
    RequestDoubled,
    RequestLandsLate,
    RequestHeldBack,
    ResponseLate,
    InnerFailure,
    InnerFailureAfterEffect,
    ServerError,
    RetriesFailed,

    // Of the table.
    TableThrottles,
    TableOutage,
    PageCutShort,
    PageEmpty,

    // Of processes.
    Crash,
    CrashBetweenAwaits,
    Shutdown,
    Pause,
    PauseBetweenAwaits,
    Suspend,
    LeaseLoss,
    LongSleep,
    ClockJump,
    ClockSkew,

    // Of targets.
    BusOutage,
    BusBusy,
    BusDenies,
    BusHangs,
    BusAnswerLost,
    BusLandsLate,
    EventRefused,
    DuplicateDelivery,

    // Of callers.
    CallerGivesUp,
    RequestOutlivesCaller,
    CallerRepeats,
    CallerSendsTwice,
    KeyReused,

    // Of operators.
    OperatorPauses,
    OperatorReplays,
    OperatorRetries,
    OperatorDiscards,

    // Of programs with the client.
    PullLost,
    PullAnswerLost,
    ConsumerKilled,
    ConsumerFails,
    ConsumerStoreFails,

    // Of operators, again.
    OperatorForgets,
    OperatorGrows,
    GrowthCrashes,
    OperatorActsInBulk,
    OperatorTakesBack,

    // Of answers that are not the store's, and of a permission that is away for a while.
    ForeignAnswer,
    UnreadableAnswer,
    StoreForbids,

    // Of what is asked of the log.
    LargePayload,
    ManyWriters,

    // Of a target whose connections are open and dead, of an answer's date, of a stored row.
    TargetHalfOpen,
    WrongDate,
    DamagedRow,

    // Of operators, once more.
    OperatorSkips,

    // What somebody was told is compared with what is there: no fault, but it must not become rare.
    SomebodyLooks,

    // Of a call to the table that does not return.
    CallHangs,

    // Of a backup of a log in use, which is restored into another table; and of a server that asks clients to come back in an hour.
    OperatorBacksUp,
    PullRetryAfter,
}

/// <summary>How often each kind of fault fired.</summary>
internal sealed class FaultTally
{
    private readonly long[] _fired = new long[Enum.GetValues<FaultKind>().Length];

    public long Total => _fired.Sum();

    public long this[FaultKind kind] => _fired[(int)kind];

    public void Fired(FaultKind kind) => _fired[(int)kind]++;

    public void Add(FaultTally other)
    {
        for (var i = 0; i < _fired.Length; i++) _fired[i] += other._fired[i];
    }
}

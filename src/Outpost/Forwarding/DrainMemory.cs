namespace Outpost.Forwarding;

/// <summary>What a process remembers of one forwarder and partition between its drains.</summary>
internal sealed class DrainMemory
{
    // For this long, nudges do not try a target again that failed. The timer tries it all the same.
    private static readonly TimeSpan QuietAfterFailure = TimeSpan.FromSeconds(10);

    // A process that failed with a lease leaves it to others for longer than they take to look again.
    private static readonly TimeSpan YieldsAfterFailure = TimeSpan.FromSeconds(6);

    private readonly Lock _lock = new();
    private ForwardRun _total = new(0, 0, 0);
    private Task? _running;
    private long _quietUntil;
    private long _yieldedUntil;

    /// <summary>The drain under way; null or completed if there is none.</summary>
    public Task? Running
    {
        get => Volatile.Read(ref _running);
        set => Volatile.Write(ref _running, value);
    }

    /// <summary>Before this timestamp a nudge starts nothing: the target fails, or somebody else holds the lease.</summary>
    public long QuietUntil
    {
        get => Interlocked.Read(ref _quietUntil);
        set => Interlocked.Exchange(ref _quietUntil, value);
    }

    /// <summary>Before this timestamp no drain starts: the lease is left to another process.</summary>
    public long YieldedUntil
    {
        get => Interlocked.Read(ref _yieldedUntil);
        private set => Interlocked.Exchange(ref _yieldedUntil, value);
    }

    /// <summary>Whether a later look at the partition is planned. Guarded by a lock on this.</summary>
    public bool IsLookedAtAgain { get; set; }

    /// <summary>The next entry, if it could not be read, and since when; null if it could.</summary>
    public (long Offset, long Since)? Missing { get; set; }

    /// <summary>The kind of the current failure; null if there is none.</summary>
    public string? FailingKind { get; set; }

    /// <summary>The sum of all work so far.</summary>
    public ForwardRun Total
    {
        get
        {
            lock (_lock) return _total;
        }
    }

    public void Delivered(int count)
    {
        lock (_lock) _total += new ForwardRun(count, 1, 0);
    }

    /// <summary>Records that a drain failed, or that its partition could not be read.</summary>
    /// <param name="time">The time source.</param>
    /// <param name="elsewhere">Whether another process might do better: the lease is then left to others for a while.</param>
    public void Failed(TimeProvider time, bool elsewhere = false)
    {
        lock (_lock) _total += new ForwardRun(0, 0, 1);
        BeQuiet(time, QuietAfterFailure);
        if (elsewhere) Yield(time, YieldsAfterFailure);
    }

    /// <summary>How much longer no drain starts.</summary>
    public TimeSpan YieldsFor(TimeProvider time)
    {
        var (until, now) = (YieldedUntil, time.GetTimestamp());
        return until > now ? time.GetElapsedTime(now, until) : TimeSpan.Zero;
    }

    /// <summary>Lets no drain start for this long.</summary>
    public void Yield(TimeProvider time, TimeSpan yields) =>
        YieldedUntil = time.GetTimestamp() + (long)(yields.TotalSeconds * time.TimestampFrequency);

    /// <summary>Lets nudges start nothing for at least this long.</summary>
    public void BeQuiet(TimeProvider time, TimeSpan quiet) =>
        QuietUntil = Math.Max(QuietUntil, time.GetTimestamp() + (long)(quiet.TotalSeconds * time.TimestampFrequency));

    /// <summary>Logs a failure once, when it begins or its kind changes, and not at every try.</summary>
    public void Say(Step.Failed failed, Action say)
    {
        if (FailingKind == failed.Kind) return;
        FailingKind = failed.Kind;
        say();
    }
}

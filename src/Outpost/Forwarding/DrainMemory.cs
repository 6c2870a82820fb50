namespace Outpost.Forwarding;

/// <summary>What a process remembers of one forwarder and partition between its drains.</summary>
internal sealed class DrainMemory
{
    // A target that failed is not asked again by nudges for so long; the timer does not mind it.
    private static readonly TimeSpan QuietAfterFailure = TimeSpan.FromSeconds(10);

    // Who failed with a lease leaves it to others for longer than they take to look again.
    private static readonly TimeSpan YieldsAfterFailure = TimeSpan.FromSeconds(6);

    private readonly Lock _lock = new();
    private ForwardRun _total = new(0, 0, 0);
    private Task? _running;
    private long _quietUntil;
    private long _yieldedUntil;

    /// <summary>The drain under way; null or completed: none is.</summary>
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

    /// <summary>Before this timestamp nothing is started: the lease is left to another process.</summary>
    public long YieldedUntil
    {
        get => Interlocked.Read(ref _yieldedUntil);
        private set => Interlocked.Exchange(ref _yieldedUntil, value);
    }

    /// <summary>Whether a later look at the partition is planned. Guarded by a lock on this.</summary>
    public bool IsLookedAtAgain { get; set; }

    /// <summary>The next entry, where it could not be read, and since when; null: it could.</summary>
    public (long Offset, long Since)? Missing { get; set; }

    /// <summary>What it is failing of; null: it works.</summary>
    public string? FailingKind { get; set; }

    /// <summary>All that was done so far.</summary>
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

    /// <summary>It failed, or could not even be looked at.</summary>
    /// <param name="time">The time source.</param>
    /// <param name="elsewhere">Another process might do better: it is left to others for a while.</param>
    public void Failed(TimeProvider time, bool elsewhere = false)
    {
        lock (_lock) _total += new ForwardRun(0, 0, 1);
        BeQuiet(time, QuietAfterFailure);
        if (elsewhere) Yield(time, YieldsAfterFailure);
    }

    /// <summary>How much longer nothing is started.</summary>
    public TimeSpan YieldsFor(TimeProvider time)
    {
        var (until, now) = (YieldedUntil, time.GetTimestamp());
        return until > now ? time.GetElapsedTime(now, until) : TimeSpan.Zero;
    }

    /// <summary>Nothing is started for so long.</summary>
    public void Yield(TimeProvider time, TimeSpan yields) =>
        YieldedUntil = time.GetTimestamp() + (long)(yields.TotalSeconds * time.TimestampFrequency);

    /// <summary>Nudges start nothing for at least so long.</summary>
    public void BeQuiet(TimeProvider time, TimeSpan quiet) =>
        QuietUntil = Math.Max(QuietUntil, time.GetTimestamp() + (long)(quiet.TotalSeconds * time.TimestampFrequency));

    /// <summary>A failure is said once, when it begins or becomes another, not at every try.</summary>
    public void Say(Step.Failed failed, Action say)
    {
        if (FailingKind == failed.Kind) return;
        FailingKind = failed.Kind;
        say();
    }
}

namespace Outpost.Forwarding;

/// <summary>A sample of the whole log at one time.</summary>
/// <param name="Head">Number of entries ever committed, in all partitions.</param>
/// <param name="Forwarders">How far each forwarder had come, for at most <see cref="ForwardersMax"/> forwarders.</param>
internal sealed record LogSample(long Head, IReadOnlyList<ForwarderSample> Forwarders)
{
    /// <summary>The most forwarders in a sample. Their names come from the table, which may hold any number of them.</summary>
    public const int ForwardersMax = 16;

    /// <summary>The sum over all partitions. Null if one of them could not be read: sums without it would look like a change.</summary>
    public static LogSample? Of(IReadOnlyCollection<PartitionState?> states, IReadOnlyList<Forwarder> own)
    {
        if (states.Any(state => state is null)) return null;
        var names = own.Select(forwarder => forwarder.Name).Concat(states.SelectMany(state => state!.Checkpoints.Keys).Order(StringComparer.Ordinal));
        return new LogSample(states.Sum(state => state!.Head), [.. names.Distinct().Take(ForwardersMax).Select(Forwarder).OfType<ForwarderSample>()]);

        ForwarderSample? Forwarder(string name)
        {
            var known = own.FirstOrDefault(forwarder => forwarder.Name == name);
            var (sum, backlog) = (0L, 0L);
            foreach (var state in states)
            {
                // With a damaged row, it is not known how far the forwarder has come.
                if (state!.Damaged.ContainsKey(name)) return null;
                var next = known?.CheckpointIn(state).NextOffset ?? state.CheckpointOf(name)?.NextOffset ?? state.Oldest;
                sum += next;
                backlog += Math.Max(0, state.Head - next);
            }

            return new ForwarderSample(name, sum, backlog);
        }
    }
}

/// <summary>How far one forwarder had come, in all partitions together.</summary>
/// <param name="Name">Name of the forwarder.</param>
/// <param name="Next">Sum of its next offsets. The increase between two samples is the number of entries it has dealt with.</param>
/// <param name="Backlog">Number of entries that are neither accepted nor parked yet.</param>
internal sealed record ForwarderSample(string Name, long Next, long Backlog);

/// <summary>
/// Samples of the log over the last ten minutes, as far as this process has looked. They are in memory only, and bounded in
/// number. Thread-safe.
/// </summary>
internal sealed class RecentSamples(TimeProvider time)
{
    // A ten-minute chart shows no finer steps.
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<(long At, LogSample Sample)> _kept = new();
    private readonly long _began = time.GetTimestamp();
    private long? _last;

    /// <summary>How long a sample is kept.</summary>
    public static TimeSpan KeptFor { get; } = TimeSpan.FromMinutes(10);

    /// <summary>The most samples at any time.</summary>
    public static int Max { get; } = (int)(KeptFor / Apart) + 1;

    /// <summary>For how long this process has kept samples. It knows nothing of the time before.</summary>
    public TimeSpan Age => time.GetElapsedTime(_began);

    /// <summary>Keeps a sample of now, unless the last one is less than 5 s old.</summary>
    public void Add(LogSample? sample)
    {
        if (sample is null) return;
        lock (_lock)
        {
            if (_last is { } last && time.GetElapsedTime(last) < Apart) return;
            _last = time.GetTimestamp();
            _kept.Enqueue((_last.Value, sample));
            Drop();
        }
    }

    /// <summary>The samples, the oldest first, each with its age.</summary>
    public IReadOnlyList<(TimeSpan Age, LogSample Sample)> Read()
    {
        lock (_lock)
        {
            Drop();
            return [.. _kept.Select(one => (time.GetElapsedTime(one.At), one.Sample))];
        }
    }

    private void Drop()
    {
        while (_kept.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > KeptFor) _kept.Dequeue();
    }
}

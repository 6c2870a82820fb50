namespace Outpost.Forwarding;

/// <summary>Where the whole log stood at one time.</summary>
/// <param name="Head">Entries ever committed, in all partitions.</param>
/// <param name="Forwarders">How far each forwarder had come: a bounded number of them.</param>
internal sealed record LogSample(long Head, IReadOnlyList<ForwarderSample> Forwarders)
{
    /// <summary>The most forwarders in a sample: their names are stored, and whoever writes to the table may store many.</summary>
    public const int ForwardersMax = 16;

    /// <summary>What all partitions together say; null: one of them could not be read, and sums without it would look like a change.</summary>
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
                // How far it has come there is not known.
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
/// <param name="Name">Its name.</param>
/// <param name="Next">The sum of its next offsets: what it adds to in a time is what it has dealt with.</param>
/// <param name="Backlog">Entries not yet accepted nor parked.</param>
internal sealed record ForwarderSample(string Name, long Next, long Backlog);

/// <summary>
/// Where the log stood over the last ten minutes, as far as this process has looked. In memory only, and bounded.
/// Thread-safe.
/// </summary>
internal sealed class RecentSamples(TimeProvider time)
{
    // A ten-minute chart shows no more.
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<(long At, LogSample Sample)> _kept = new();
    private readonly long _began = time.GetTimestamp();
    private long? _last;

    /// <summary>How long a sample is kept.</summary>
    public static TimeSpan KeptFor { get; } = TimeSpan.FromMinutes(10);

    /// <summary>The most samples at any time.</summary>
    public static int Max { get; } = (int)(KeptFor / Apart) + 1;

    /// <summary>For how long this process has kept samples. What was before, it does not know.</summary>
    public TimeSpan Age => time.GetElapsedTime(_began);

    /// <summary>Keeps where the log stands now, unless the last sample is from a moment ago.</summary>
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

using Microsoft.Extensions.Logging;

namespace Outpost;

/// <summary>Something that is wrong with the log itself.</summary>
/// <param name="Code">A short name that stays the same.</param>
/// <param name="Detail">One sentence that names what, and where.</param>
/// <param name="IsFatal">Commands or readers of a whole partition cannot go on.</param>
internal sealed record StoreProblem(string Code, string Detail, bool IsFatal);

/// <summary>
/// What this process has found to be wrong with the log: for health and status. Each damaged row is logged once.
/// Thread-safe; one per process.
/// </summary>
internal sealed partial class StoreProblems(TimeProvider time, ILogger<StoreProblems> logger)
{
    // Of a table that is damaged all over, the first tell enough.
    private const int Max = 100;

    // What nobody meets any more is mended, or nobody needs it. Ticks of the timer meet the rows of forwarders.
    private static readonly TimeSpan ShownFor = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string, string), (StoreProblem Problem, long At)> _damaged = [];
    private readonly Dictionary<string, StoreProblem> _wentBack = [];

    /// <summary>As far as this process knows now; the worst first.</summary>
    public IReadOnlyList<StoreProblem> Now
    {
        get
        {
            lock (_lock)
            {
                return [.. _damaged.Values.Where(one => time.GetElapsedTime(one.At) < ShownFor).Select(one => one.Problem)
                    .Concat(_wentBack.Values).OrderByDescending(problem => problem.IsFatal)];
            }
        }
    }

    /// <summary>A row was read, and could not be.</summary>
    public void Damaged(DamagedRowException damage)
    {
        lock (_lock)
        {
            var key = (damage.PartitionKey, damage.RowKey);
            var isNew = !_damaged.TryGetValue(key, out var known) || time.GetElapsedTime(known.At) >= ShownFor;
            if (_damaged.Count >= Max && !_damaged.ContainsKey(key)) return;
            // Keys that begin so hold the whole log, or a whole partition.
            var isFatal = damage.RowKey.StartsWith('!') || damage.RowKey == "layout";
            _damaged[key] = (new StoreProblem("log-damaged", damage.Message, isFatal), time.GetTimestamp());
            if (isNew) LogDamaged(damage.Message);
        }
    }

    /// <summary>A partition is not the one that it was; it is not written to before the process is started again.</summary>
    public void WentBack(string partition, string detail)
    {
        lock (_lock) _wentBack[partition] = new StoreProblem("log-went-back", detail, IsFatal: true);
    }

    [LoggerMessage(23, LogLevel.Error, "{Damage}")]
    private partial void LogDamaged(string damage);
}

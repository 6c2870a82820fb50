using Microsoft.Extensions.Logging;

namespace Outpost;

/// <summary>A fault of the log itself.</summary>
/// <param name="Code">A short, stable name.</param>
/// <param name="Detail">One sentence that says what is wrong, and where.</param>
/// <param name="IsFatal">Whether commands or readers of a whole partition cannot go on.</param>
internal sealed record StoreProblem(string Code, string Detail, bool IsFatal);

/// <summary>
/// The faults of the log that this process has found, for health and status. Each damaged row is logged once. Thread-safe; one per
/// process.
/// </summary>
internal sealed partial class StoreProblems(TimeProvider time, ILogger<StoreProblems> logger)
{
    // If a whole table is damaged, the first faults tell enough.
    private const int Max = 100;

    // A damaged row that nobody reads any more is repaired, or not needed. Ticks of the timer read the rows of forwarders.
    private static readonly TimeSpan ShownFor = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string, string), (StoreProblem Problem, long At)> _damaged = [];
    private readonly Dictionary<string, StoreProblem> _wentBack = [];

    /// <summary>The current faults, as far as this process knows, the worst first.</summary>
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

    /// <summary>Records a damaged row.</summary>
    public void Damaged(DamagedRowException damage)
    {
        lock (_lock)
        {
            var key = (damage.PartitionKey, damage.RowKey);
            var isNew = !_damaged.TryGetValue(key, out var known) || time.GetElapsedTime(known.At) >= ShownFor;
            if (_damaged.Count >= Max && !_damaged.ContainsKey(key)) return;
            // The whole log, or a whole partition, depends on rows with these keys.
            var isFatal = damage.RowKey.StartsWith('!') || damage.RowKey == "layout";
            _damaged[key] = (new StoreProblem("log-damaged", damage.Message, isFatal), time.GetTimestamp());
            if (isNew) LogDamaged(damage.Message);
        }
    }

    /// <summary>Records that a partition is not the one it was. This process does not write to it before it is started again.</summary>
    public void WentBack(string partition, string detail)
    {
        lock (_lock) _wentBack[partition] = new StoreProblem("log-went-back", detail, IsFatal: true);
    }

    [LoggerMessage(23, LogLevel.Error, "{Damage}")]
    private partial void LogDamaged(string damage);
}

namespace Outpost.Tests.Testing;

/// <summary>Commands per second with so many partitions.</summary>
/// <param name="Partitions">How many.</param>
/// <param name="WithKeys">Whether commands had an idempotency key.</param>
/// <param name="CommandsPerSecond">In virtual time.</param>
/// <param name="LimitedBy"><c>round trip</c>, <c>partition</c> or <c>account</c>: what requests waited for most.</param>
internal sealed record Scaling(int Partitions, bool WithKeys, double CommandsPerSecond, string LimitedBy);

/// <summary>
/// How throughput grows with partitions, on the simulated table with Azure's latency and limits.
/// <para>
/// A process has one transaction of up to 100 rows in flight per partition, so at a round trip of 10 ms it could write
/// 10,000 rows a second to each: five times what a partition takes. What limits is therefore the service: 2,000 entities
/// a second per partition, up to ten partitions, and from there on the account's 20,000. A command with an idempotency
/// key is three rows (entity, receipt, event), 33 of them and the head fill a transaction: 660 commands a second and
/// partition, 6,600 per account. Without a key it is two rows, 49 to a transaction of 99: 990 and 9,899.
/// </para>
/// </summary>
internal static class ScalingOverPartitions
{
    // Enough that a full transaction waits while one is under way: 33 or 49 are in flight, as many are next.
    private const int CallersPerPartition = 128;

    /// <summary>Measures one process with 1, 2, 4, 8 and 16 partitions, with keys and without.</summary>
    public static IReadOnlyList<Scaling> Measure() =>
        [.. new[] { true, false }.SelectMany(withKeys => new[] { 1, 2, 4, 8, 16 }.Select(partitions => Measure(partitions, withKeys)))];

    /// <summary>Measures one process with so many partitions.</summary>
    public static Scaling Measure(int partitions, bool withKeys)
    {
        var work = new BusyProcesses
        {
            Callers = CallersPerPartition * partitions,
            Partitions = partitions,
            WithKeys = withKeys,
            WarmUpSeconds = 0.3,
            // So many rows each time that one transaction more or less is below a percent.
            Seconds = Math.Max(1, 8.0 / partitions),
        }.Run(seed: 1);
        if (work.Failures.Count > 0) throw new InvalidOperationException($"{work.Failures.Count} commands failed: {work.Failures[0]}");
        var service = work.Table.Service!;
        var limitedBy = service.WaitedForAccount > service.WaitedForPartition ? "account"
            : service.WaitedForPartition > TimeSpan.Zero ? "partition"
            : "round trip";
        return new Scaling(partitions, withKeys, work.PerSecond, limitedBy);
    }
}

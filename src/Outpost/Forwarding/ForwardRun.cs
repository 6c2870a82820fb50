namespace Outpost.Forwarding;

/// <summary>What one run did.</summary>
/// <param name="Delivered">Number of entries that the targets accepted.</param>
/// <param name="Batches">Number of deliveries.</param>
/// <param name="FailedPartitions">How often forwarding of a partition ended with an error.</param>
internal sealed record ForwardRun(long Delivered, long Batches, int FailedPartitions)
{
    /// <summary>The sum of two runs.</summary>
    public static ForwardRun operator +(ForwardRun one, ForwardRun other) =>
        new(one.Delivered + other.Delivered, one.Batches + other.Batches, one.FailedPartitions + other.FailedPartitions);

    /// <summary>What was done between two totals.</summary>
    public static ForwardRun operator -(ForwardRun one, ForwardRun other) =>
        new(one.Delivered - other.Delivered, one.Batches - other.Batches, one.FailedPartitions - other.FailedPartitions);
}

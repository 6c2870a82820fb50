namespace Outpost.Forwarding;

/// <summary>What one run did.</summary>
/// <param name="Delivered">Entries accepted by the targets.</param>
/// <param name="Batches">Deliveries it took.</param>
/// <param name="FailedPartitions">How often forwarding of a partition ended with an error.</param>
internal sealed record ForwardRun(long Delivered, long Batches, int FailedPartitions)
{
    /// <summary>Both together.</summary>
    public static ForwardRun operator +(ForwardRun one, ForwardRun other) =>
        new(one.Delivered + other.Delivered, one.Batches + other.Batches, one.FailedPartitions + other.FailedPartitions);

    /// <summary>What came since.</summary>
    public static ForwardRun operator -(ForwardRun one, ForwardRun other) =>
        new(one.Delivered - other.Delivered, one.Batches - other.Batches, one.FailedPartitions - other.FailedPartitions);
}

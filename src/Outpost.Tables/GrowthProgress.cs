namespace Outpost.Tables;

/// <summary>The progress of a log's growth.</summary>
/// <param name="Step">The current step, in words.</param>
/// <param name="Done">Partitions in which the step is done.</param>
/// <param name="Of">Partitions that the step covers.</param>
internal sealed record GrowthProgress(string Step, int Done, int Of);

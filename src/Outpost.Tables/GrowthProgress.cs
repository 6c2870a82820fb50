namespace Outpost.Tables;

/// <summary>How far growing has come.</summary>
/// <param name="Step">What is being done.</param>
/// <param name="Done">In how many partitions it is done.</param>
/// <param name="Of">In how many it is to be done.</param>
internal sealed record GrowthProgress(string Step, int Done, int Of);

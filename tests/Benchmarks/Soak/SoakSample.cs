namespace Outpost.Tests.Benchmarks.Soak;

/// <summary>What a process of the soak says of itself.</summary>
/// <param name="Seconds">Since it began.</param>
/// <param name="Commands">Done so far.</param>
/// <param name="Busy">Answers so far that said "try again later"; each was tried again after a second.</param>
/// <param name="P99Ms">What a command took since the sample before.</param>
/// <param name="WorkingSetMb">Of the whole process.</param>
/// <param name="HeapMb">Managed memory in use after the last collection.</param>
/// <param name="Handles">Open files and sockets.</param>
/// <param name="Entries">Entries in the table, of all partitions: what retention left.</param>
/// <param name="Backlog">Entries that are not forwarded yet.</param>
internal sealed record SoakSample(
    double Seconds, long Commands, long Busy, double P99Ms, double WorkingSetMb, double HeapMb, int Handles, long Entries, long Backlog);

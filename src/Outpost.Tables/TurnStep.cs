namespace Outpost.Tables;

/// <summary>What a writer does next, where other processes write to the same partition.</summary>
internal abstract record TurnStep
{
    /// <summary>It commits, on the head last seen.</summary>
    internal sealed record Go : TurnStep;

    /// <summary>It reads the head after some time, and perhaps the places of those who wait.</summary>
    internal sealed record Look(TimeSpan After, bool AtPlaces) : TurnStep;

    /// <summary>It reads the head again and again, without waiting for the answers, until the head has moved or the time is up.</summary>
    internal sealed record Watch(TimeSpan Every, TimeSpan Max, bool AtPlaces) : TurnStep;
}

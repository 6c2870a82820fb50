namespace Outpost.Tests.Testing;

/// <summary>Real time on a machine whose clock is off; timers and elapsed time are right.</summary>
internal sealed class OffTime(TimeSpan by) : TimeProvider
{
    private long _offTicks = by.Ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _offTicks));

    /// <summary>Somebody sets the clock.</summary>
    public void SetOff(TimeSpan off) => Volatile.Write(ref _offTicks, off.Ticks);
}

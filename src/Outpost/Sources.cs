namespace Outpost;

/// <summary>Where time, ids and randomness come from: hosts pass the real ones, tests and simulations their own.</summary>
/// <param name="Time">Clock and timers.</param>
/// <param name="NewId">A new unique id at each call.</param>
/// <param name="NextRandom">A number from 0 (inclusive) to 1 (exclusive) at each call, thread-safe.</param>
internal sealed record Sources(TimeProvider Time, Func<Guid> NewId, Func<double> NextRandom);

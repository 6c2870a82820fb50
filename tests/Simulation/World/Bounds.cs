namespace Outpost.Tests.Simulation;

/// <summary>How long things may take, whatever the table, a target or another process does. A process that stood still is not held to it.</summary>
internal sealed class Bounds(World world)
{
    // Steps of its own, and of others before its turn.
    private static readonly TimeSpan Spare = TimeSpan.FromSeconds(1);

    /// <summary>One command.</summary>
    public static readonly TimeSpan Command = Limits.CommandWaitMax;

    /// <summary>One request of HTTP, as a host ends it.</summary>
    public static readonly TimeSpan Http = TimeSpan.FromSeconds(33);

    /// <summary>One run of the timer's forwarding. Three calls in a row may get no answer: for the layout, the partitions and the shares.</summary>
    public TimeSpan Run { get; } = TimeSpan.FromSeconds(world.Plan.Has(FaultKind.CallHangs) ? 30 : 15);

    /// <summary>One run of retention.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromSeconds(15);

    /// <summary>A stop: the drains, then the writers.</summary>
    public static readonly TimeSpan Stop = TimeSpan.FromSeconds(8 + 5);

    /// <summary>To be called in the process, with what has just begun. Wrong where it does not end in time.</summary>
    public async Task<T> HoldAsync<T>(VirtualProcess process, Task<T> work, TimeSpan bound, string what)
    {
        _ = WatchAsync(process, work, bound, what);
        return await work;
    }

    /// <summary>To be called in the process, with what has just begun. Wrong where it does not end in time.</summary>
    public async Task HoldAsync(VirtualProcess process, Task work, TimeSpan bound, string what)
    {
        _ = WatchAsync(process, work, bound, what);
        await work;
    }

    private async Task WatchAsync(VirtualProcess process, Task work, TimeSpan bound, string what)
    {
        if (work.IsCompleted) return;
        var pauses = process.Pauses;
        using var ended = new CancellationTokenSource();
        await Task.WhenAny(work, Task.Delay(bound + Spare, world.Time, ended.Token));
        ended.CancelHere();
        if (!work.IsCompleted && process.Pauses == pauses) world.Judge.Wrong($"{process.Name}: {what} lasts longer than {bound.TotalSeconds:0} s");
    }
}

namespace Outpost.Tests.Simulation;

/// <summary>What happens to whole processes, to the table and to the targets, until the world is calm.</summary>
internal sealed class Harm(World world)
{
    private static readonly FaultKind[] Kinds =
    [
        FaultKind.Crash, FaultKind.CrashBetweenAwaits, FaultKind.Shutdown, FaultKind.Pause, FaultKind.PauseBetweenAwaits, FaultKind.Suspend,
        FaultKind.LeaseLoss, FaultKind.ClockJump, FaultKind.BusOutage, FaultKind.TableThrottles, FaultKind.TableOutage, FaultKind.StoreForbids,
        FaultKind.TargetHalfOpen, FaultKind.DamagedRow,
    ];

    private readonly Random _random = world.Plan.Random("harm");
    private readonly Damage _damage = new(world);
    private readonly FaultKind[] _kinds = [.. Kinds.Where(world.Plan.Has)];

    public async Task RunAsync()
    {
        while (!world.IsCalm && _kinds.Length > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(1.8 * _random.NextDouble()), world.Time);
            if (world.IsCalm) return;
            var kind = _kinds[_random.Next(_kinds.Length)];
            if (Do(kind)) world.Fired(kind);
        }
    }

    private bool Do(FaultKind kind)
    {
        var slot = _random.Next(world.Nodes.Length);
        var node = world.Nodes[slot];
        // Mostly short; sometimes longer than a lease lasts.
        var length = TimeSpan.FromSeconds(_random.Next(4) == 0 ? 22 * _random.NextDouble() : 3 * _random.NextDouble());
        switch (kind)
        {
            case FaultKind.BusOutage:
                world.Targets.DownUntil = world.Time.Elapsed + length;
                return true;
            case FaultKind.TableThrottles:
                world.TableFaults.BusyUntil = world.Time.Elapsed + (length / 6);
                return true;
            case FaultKind.TableOutage:
                world.TableFaults.DownUntil = world.Time.Elapsed + (length / 3);
                return true;
            case FaultKind.StoreForbids:
                world.TableFaults.ForbiddenUntil = world.Time.Elapsed + (length / 6);
                return true;
            case FaultKind.TargetHalfOpen:
                world.Targets.SilentUntil = world.Time.Elapsed + (length / 3);
                return true;
            case FaultKind.DamagedRow:
                return _damage.Do(_random);
            case FaultKind.LeaseLoss:
                return LoseLease();
            case var _ when !node.Process.IsRunning:
                return false;
            case FaultKind.Crash:
                Kill(slot, node, length);
                return true;
            case FaultKind.CrashBetweenAwaits:
                node.Process.After(_random.Next(60), () => Kill(slot, node, length));
                return true;
            case FaultKind.Shutdown:
                _ = RestartAsync(slot, node);
                return true;
            case FaultKind.ClockJump:
                node.Process.SetClock(TimeSpan.FromMinutes(240 * (_random.NextDouble() - 0.5)));
                return true;
            case FaultKind.PauseBetweenAwaits:
                node.Process.After(_random.Next(60), () => Pause(node, length, stopsClock: false));
                return true;
            default:
                Pause(node, length, stopsClock: kind == FaultKind.Suspend);
                return true;
        }
    }

    // Whoever forwards stands still for longer than its lease lasts.
    private bool LoseLease()
    {
        var owner = world.Forwards.Select(forward => forward.Owner(_random.Next(world.Partitions))).FirstOrDefault(name => name is not null);
        if (Array.Find(world.Nodes, node => node.Process.Name == owner && node.Process.IsRunning) is not { } node) return false;
        Pause(node, TimeSpan.FromSeconds(15 + (6 * _random.NextDouble())), stopsClock: _random.Next(2) == 0);
        return true;
    }

    private void Kill(int slot, Node node, TimeSpan length)
    {
        if (node.Process.IsKilled || world.IsCalm) return;
        world.Judge.Note($"{node.Process.Name} is killed");
        node.Process.Kill();
        _ = AfterAsync(length / 2, () => world.Restart(slot, node));
    }

    private void Pause(Node node, TimeSpan length, bool stopsClock)
    {
        if (world.IsCalm) return;
        world.Judge.Note($"{node.Process.Name} stands still for {length.TotalSeconds:F1} s");
        node.Process.Pause(stopsClock);
        _ = AfterAsync(length, node.Process.Resume);
    }

    private async Task RestartAsync(int slot, Node node)
    {
        world.Judge.Note($"{node.Process.Name} shuts down");
        await Task.WhenAny(node.StopAsync(), Task.Delay(TimeSpan.FromSeconds(15), world.Time));
        node.Process.Kill();
        world.Restart(slot, node);
    }

    private async Task AfterAsync(TimeSpan time, Action action)
    {
        await Task.Delay(time, world.Time);
        action();
    }
}

using Outpost.Testing;

namespace Outpost.Tests.Unit.TestingPackage;

public sealed class The_clock_of_a_test
{
    private readonly TestTime _time = new();

    [Fact]
    public async Task Moves_on_by_a_short_wait_which_nobody_waits_for()
    {
        var start = _time.GetUtcNow();

        await Task.Delay(TimeSpan.FromSeconds(3), _time);

        Assert.Equal(TimeSpan.FromSeconds(3), _time.GetUtcNow() - start);
    }

    [Fact]
    public async Task Ends_long_waits_and_deadlines_only_when_it_comes_that_far()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(4), _time);
        var hour = Task.Delay(TimeSpan.FromHours(1), _time);

        await Task.Delay(TimeSpan.FromSeconds(3), _time);
        Assert.Equal((false, false), (deadline.IsCancellationRequested, hour.IsCompleted));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((true, false), (deadline.IsCancellationRequested, hour.IsCompleted));
        _time.Advance(TimeSpan.FromHours(1));
        await hour;
    }

    [Fact]
    public void Fires_what_comes_again_and_again_each_time_in_its_order()
    {
        var fired = new List<string>();
        using var every = _time.CreateTimer(_ => fired.Add($"every {_time.GetUtcNow():ss}"), null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var once = _time.CreateTimer(_ => fired.Add($"once {_time.GetUtcNow():ss}"), null, TimeSpan.FromSeconds(7), Timeout.InfiniteTimeSpan);

        _time.Advance(TimeSpan.FromSeconds(8));

        Assert.Equal(["every 02", "every 04", "every 06", "once 07", "every 08"], fired);
    }
}

namespace Outpost.Tests.Unit.Costs;

/// <summary>
/// A guard against regressions, by counts that no noise touches: bytes allocated on one thread. Whoever makes a path cheaper lowers
/// its limit; whoever makes it dearer says why. The benchmark group micro has the times.
/// </summary>
public sealed class What_a_hot_path_allocates
{
    // Other versions of the runtime may take a little more.
    private const double Slack = 1.05;
    private const int Calls = 10;

    private readonly HotPaths _paths = new();

    [Fact]
    public void Is_two_short_strings_for_a_row_key() => Allocates(112, () => _paths.Key());

    [Fact]
    public void Is_thirteen_kilobytes_for_each_command_of_a_full_transaction() => Allocates(430_000, () => _paths.Transaction());

    [Fact]
    public void Is_hardly_more_than_the_payload_for_an_entry_of_its_row() => Allocates(1_200, () => _paths.Entry());

    [Fact]
    public void Is_seven_times_its_payloads_for_a_page_of_the_feed() => Allocates(670_000, () => _paths.Page());

    [Fact]
    public void Is_as_much_for_a_page_of_CloudEvents() => Allocates(685_000, () => _paths.CloudEvents());

    [Fact]
    public void Is_less_than_two_kilobytes_beside_the_payload_for_a_message() => Allocates(1_800, () => _paths.Message());

    private static void Allocates(long most, Func<object?> path)
    {
        var allocated = long.MaxValue;
        // The runtime itself allocates now and then on this thread, such as for a pool that it has just emptied. The least is the path's own.
        for (var call = 0; call < Calls; call++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            path();
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.InRange(allocated, (long)(most / 1.5), (long)(most * Slack));
    }
}

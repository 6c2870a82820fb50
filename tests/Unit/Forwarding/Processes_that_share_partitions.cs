using Outpost.Forwarding;
using Xunit.Abstractions;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class Processes_that_share_partitions(ITestOutputHelper output)
{
    private const int Partitions = 8;

    // They come one after the other to a log that always has work.
    [Theory]
    [InlineData(2, 4, 4)]
    [InlineData(4, 1, 3)]
    public void Come_to_equal_shares_although_none_ever_runs_out_of_work(int processes, int least, int most) => Scene.Play(async scene =>
    {
        var latest = TimeSpan.Zero;
        var (counting, writing) = (false, true);
        var writer = scene.Process("writer", Partitions);
        var load = LoadAsync(scene, writer, () => writing);
        for (var i = 0; i < processes; i++)
        {
            scene.Forwarding($"p{i}", new ScriptedTarget(async (_, entries, token) =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), scene.World, token);
                var age = scene.World.GetUtcNow() - entries[0].Timestamp;
                if (counting && age > latest) latest = age;
                return new Delivery.Accepted(entries.Count);
            }), TimeSpan.FromSeconds(1), partitions: Partitions);
            await scene.PassAsync(10);
            counting = true;
        }

        var shares = new Dictionary<string, int>();
        var took = await scene.UntilAsync(
            () =>
            {
                shares = Owners(scene).CountBy(owner => owner).ToDictionary();
                return shares.Count == processes && shares.Values.All(share => share >= least && share <= most);
            },
            120);
        await scene.PassAsync(20);
        var later = Owners(scene).CountBy(owner => owner).ToDictionary();
        writing = false;
        await load;

        output.WriteLine($"{processes} processes: {took:F0} s after the last began; slowest entry {latest.TotalSeconds:F1} s; " +
            $"{scene.Table.Requests.Count(request => request.Kind == TableOperation.Upsert)} wishes");
        // And so they stay: nothing goes to and fro.
        Assert.All(later.Values, share => Assert.InRange(share, least, most));
        Assert.InRange(scene.Table.Requests.Count(request => request.Kind == TableOperation.Upsert), processes, 40);
        Assert.InRange(latest.TotalSeconds, 0, 5);
    });

    [Fact]
    public void Are_not_asked_for_anything_by_a_process_that_is_alone() => Scene.Play(async scene =>
    {
        var writing = true;
        var process = scene.Forwarding("a", new ScriptedTarget(), TimeSpan.FromSeconds(1), partitions: Partitions);
        var load = LoadAsync(scene, process, () => writing);

        await scene.PassAsync(20);
        writing = false;
        await load;

        Assert.Equal(0, scene.Table.Sent(TableOperation.Upsert));
    });

    private static async Task LoadAsync(Scene scene, VirtualProcess writer, Func<bool> goesOn)
    {
        while (goesOn())
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => scene.CommitAsync(writer)));
            await scene.PassAsync(0.08);
        }
    }

    private static List<string> Owners(Scene scene) =>
    [
        .. Enumerable.Range(0, Partitions)
            .Select(partition => scene.Table.Row(SoundLog.PartitionKey(partition), $"c|{Scene.Name}")?.GetString("Owner") ?? "")
            .Where(owner => owner.Length > 0),
    ];
}

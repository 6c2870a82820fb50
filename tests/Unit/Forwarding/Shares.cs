using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

public sealed class Shares
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);

    // One character for each partition: who holds its lease; '-' nobody, small letters where there is no work.
    [Theory]
    [InlineData("AAAAAAAA", 4)]
    [InlineData("AAAAABBB", 2)]
    [InlineData("AAAABBBB", 2)]
    [InlineData("AAABBBCC", 2)]
    [InlineData("AAABBBMM", 0)]
    [InlineData("AAAMM---", 0)]
    [InlineData("AAAAMM--", 1)]
    [InlineData("aaaaaaaa", 0)]
    [InlineData("aaaaaaAA", 2)]
    [InlineData("AM------", 0)]
    [InlineData("A-------", 0)]
    [InlineData("AA------", 1)]
    [InlineData("--------", 0)]
    public void Are_equal_when_nobody_has_two_more_than_another(string owners, int wished) =>
        Assert.Equal(wished, Wished(owners, Now).Count);

    [Fact]
    public void Come_from_whoever_has_most() =>
        Assert.Equal(["A", "A"], Wished("AAAABBCC", Now).Select(state => state.Checkpoints["bus"].Owner));

    [Fact]
    public void Do_not_count_leases_that_are_over() => Assert.Empty(Wished("AAAAAAAA", Now + Checkpoint.LeaseTime));

    private static IReadOnlyList<PartitionState> Wished(string owners, DateTimeOffset readAt) => FairShare.Wished(
        new Forwarder("bus", new ScriptedTarget()), "M", [.. owners.Select((owner, partition) => State(partition, owner, readAt))], () => 0.5);

    private static PartitionState State(int partition, char owner, DateTimeOffset readAt) => new(
        partition,
        0,
        char.IsUpper(owner) ? 2 : 1,
        Now,
        new Dictionary<string, Checkpoint>
        {
            ["bus"] = new() { Forwarder = "bus", NextOffset = 1, Owner = owner == '-' ? null : char.ToUpperInvariant(owner).ToString(), StoredAt = Now, Tag = "t" },
        })
    {
        ReadAt = readAt,
    };
}

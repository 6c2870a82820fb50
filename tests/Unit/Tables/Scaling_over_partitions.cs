namespace Outpost.Tests.Unit.Tables;

public sealed class Scaling_over_partitions
{
    private const double EntitiesPerPartition = 2_000;
    private const double EntitiesPerAccount = 20_000;

    [Fact]
    public void Is_linear_up_to_what_the_account_takes()
    {
        var all = ScalingOverPartitions.Measure();
        foreach (var measured in all)
        {
            var (commands, rows) = measured.WithKeys ? (33, 100) : (49, 99);
            var entities = Math.Min(EntitiesPerPartition * measured.Partitions, EntitiesPerAccount);
            Assert.InRange(measured.CommandsPerSecond, entities / rows * commands * 0.97, entities / rows * commands * 1.03);
            Assert.Equal(measured.Partitions <= 8 ? "partition" : "account", measured.LimitedBy);
        }
    }
}

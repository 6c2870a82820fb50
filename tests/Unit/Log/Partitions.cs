namespace Outpost.Tests.Unit.Log;

public sealed class Partitions
{
    private const double Tolerance = 0.2;

    // Computed with Python's hashlib: stored rows depend on these for ever.
    [Theory]
    [InlineData("order/o-1", 2, 1)]
    [InlineData("order/o-1", 8, 3)]
    [InlineData("order/o-1", 100, 55)]
    [InlineData("order/o-1", 256, 83)]
    [InlineData("order/", 256, 243)]
    [InlineData("order/ä", 16, 11)]
    [InlineData("order/ä", 100, 95)]
    [InlineData("order/😀", 2, 0)]
    [InlineData("order/😀", 256, 148)]
    [InlineData("customer/4711", 100, 75)]
    [InlineData("order/0f8fad5b-d9cb-469f-a165-70867728950e", 16, 10)]
    [InlineData("order/0f8fad5b-d9cb-469f-a165-70867728950e", 256, 154)]
    [InlineData("", 256, 20)]
    public void Of_a_subject_never_change(string subject, int partitions, int expected) =>
        Assert.Equal(expected, new LogLayout("k3v9x2ab", partitions).PartitionOf(subject));

    [Fact]
    public void Of_a_long_subject_never_change() => Assert.Equal(155, LogLayout.PartitionOf(new string('a', 300), 256));

    [Fact]
    public void There_is_only_one_when_the_log_has_one() =>
        Assert.All(Subjects("guids"), subject => Assert.Equal(0, LogLayout.PartitionOf(subject, 1)));

    [Theory]
    [InlineData(8, "guids")]
    [InlineData(16, "guids")]
    [InlineData(8, "numbers")]
    [InlineData(16, "numbers")]
    public void Get_about_the_same_number_of_subjects(int partitions, string kind)
    {
        var subjects = Subjects(kind).ToList();

        var counts = new int[partitions];
        foreach (var subject in subjects) counts[LogLayout.PartitionOf(subject, partitions)]++;

        var mean = (double)subjects.Count / partitions;
        Assert.All(counts, count => Assert.InRange(count, mean * (1 - Tolerance), mean * (1 + Tolerance)));
    }

    private static IEnumerable<string> Subjects(string kind)
    {
        var random = new Random(4711);
        var bytes = new byte[16];
        for (var i = 0; i < 10_000; i++)
        {
            random.NextBytes(bytes);
            yield return kind == "guids" ? $"order/{new Guid(bytes)}" : $"order/{100_000 + i}";
        }
    }
}

using System.Globalization;

namespace Outpost.Tests.Unit.Log;

public sealed class Partitions
{
    private const int Subjects = 20_000;
    private static readonly string[] Names = ["ada", "bjørn", "carol", "dmitri", "emil", "fatima", "grace", "hans"];

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
        Assert.All(Ids("numbers"), id => Assert.Equal(0, LogLayout.PartitionOf($"order/{id}", 1)));

    public static TheoryData<int, string> CountsAndIds
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var partitions in new[] { 4, 8, 16, 64, 256 })
            {
                foreach (var kind in new[] { "numbers", "GUIDs", "ULIDs", "e-mail addresses", "o- and hex digits" }) data.Add(partitions, kind);
            }

            return data;
        }
    }

    /// <summary>
    /// Pearson's chi-square, the squared distances from the mean over the mean: for things put into boxes at random it is
    /// about the number of boxes, and beyond five standard deviations once in six hundred times (4 boxes) or less. The
    /// ids are the same in each run, so this holds always or never.
    /// </summary>
    [Theory]
    [MemberData(nameof(CountsAndIds))]
    public void Get_as_even_a_share_as_chance_gives(int partitions, string kind)
    {
        var counts = new int[partitions];
        foreach (var id in Ids(kind)) counts[LogLayout.PartitionOf($"order/{id}", partitions)]++;

        var mean = (double)Subjects / partitions;
        var chiSquare = counts.Sum(count => (count - mean) * (count - mean)) / mean;
        var freedom = partitions - 1;
        Assert.InRange(chiSquare, 0, freedom + (5 * Math.Sqrt(2 * freedom)));
        // So the busiest partition is not far above the mean: what matters to whoever plans for its share.
        Assert.InRange(counts.Max(), mean, mean + (5 * Math.Sqrt(mean)));
    }

    private static IEnumerable<string> Ids(string kind)
    {
        var random = new Random(4711);
        for (var i = 0; i < Subjects; i++)
        {
            yield return kind switch
            {
                "numbers" => (100_000 + i).ToString(CultureInfo.InvariantCulture),
                "GUIDs" => new Guid(Bytes(random, 16)).ToString(),
                "ULIDs" => Ulid(milliseconds: 1_795_000_000_000 + (i * 37), Bytes(random, 10)),
                "e-mail addresses" => $"{Names[random.Next(Names.Length)]}.{Names[random.Next(Names.Length)]}{i / 100}.{i % 100}@example.com",
                _ => "o-" + Convert.ToHexStringLower(Bytes(random, 10)),
            };
        }
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    // 48 bits of time and 80 of chance, five to a digit: ids of one moment begin alike.
    private static string Ulid(long milliseconds, byte[] chance)
    {
        const string Digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        var number = (new UInt128(0, (ulong)milliseconds) << 80) |
                     chance.Aggregate(UInt128.Zero, (sum, b) => (sum << 8) | b);
        var text = new char[26];
        for (var i = text.Length - 1; i >= 0; i--, number >>= 5) text[i] = Digits[(int)(number & 31)];
        return new string(text);
    }
}

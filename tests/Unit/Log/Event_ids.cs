namespace Outpost.Tests.Unit.Log;

public sealed class Event_ids
{
    [Fact]
    public void Are_log_partition_and_offset_with_leading_zeros() =>
        Assert.Equal("k3v9x2ab-0007-0000000000000000041", new EventId("k3v9x2ab", 7, 41).ToString());

    [Theory]
    [InlineData(0, 0L)]
    [InlineData(255, 41L)]
    [InlineData(9999, long.MaxValue)]
    public void Are_read_as_they_are_written(int partition, long offset)
    {
        var id = new EventId("k3v9x2ab", partition, offset);

        Assert.True(EventId.TryParse(id.ToString(), out var read));
        Assert.Equal(id, read);
    }

    [Fact]
    public void Of_one_partition_sort_like_their_offsets()
    {
        long[] offsets = [0, 9, 10, 99, 100, int.MaxValue, long.MaxValue];

        var ids = offsets.Select(offset => new EventId("k3v9x2ab", 0, offset).ToString()).ToList();

        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
    }

    [Theory]
    [InlineData(null, "nothing")]
    [InlineData("", "nothing at all")]
    [InlineData("k3v9x2ab-0000-000000000000000004", "a digit too few")]
    [InlineData("k3v9x2ab-0000-00000000000000000041", "a digit too many")]
    [InlineData("k3v9x2ab-000-00000000000000000041", "the digits in the wrong place")]
    [InlineData("K3v9x2ab-0000-0000000000000000041", "a capital letter")]
    [InlineData("k3v9x2a_-0000-0000000000000000041", "another character in the log")]
    [InlineData("k3v9x2äb-0000-0000000000000000041", "a letter beyond ASCII")]
    [InlineData("k3v9x2ab_0000-0000000000000000041", "another separator")]
    [InlineData("k3v9x2ab-0000_0000000000000000041", "another second separator")]
    [InlineData("k3v9x2ab--001-0000000000000000041", "a sign in the partition")]
    [InlineData("k3v9x2ab-0000-+000000000000000041", "a plus in the offset")]
    [InlineData("k3v9x2ab-0000--000000000000000041", "a minus in the offset")]
    [InlineData("k3v9x2ab-0000- 000000000000000041", "a blank in the offset")]
    [InlineData("k3v9x2ab-0000-000000000000000041 ", "a blank at the end")]
    [InlineData("k3v9x2ab-0000-9999999999999999999", "more than an offset can be")]
    [InlineData("k3v9x2ab-000a-0000000000000000041", "a letter in the partition")]
    [InlineData("k3v9x2ab-0000-00000000000000000٤١", "digits of another script")]
    public void Of_any_other_form_are_refused(string? text, string why)
    {
        Assert.False(EventId.TryParse(text, out var id), why);
        Assert.Equal(default, id);
    }

    [Theory]
    [InlineData("k3v9x2ab-0000-000000000000000041\0")]
    [InlineData("k3v9x2ab-000\0-0000000000000000041")]
    public void With_a_NUL_after_the_digits_are_refused(string text) => Assert.False(EventId.TryParse(text, out _));
}

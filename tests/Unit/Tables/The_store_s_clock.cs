using FsCheck;
using FsCheck.Fluent;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

public sealed class The_store_s_clock
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    // Local times of sending and receiving in milliseconds after noon, the answer's Date in whole seconds.
    [Theory]
    [InlineData(0, 100, 200, 0, 0, "an answer that fits changes nothing")]
    [InlineData(500, 100, 200, 0, 500, "a correction within the bounds stays")]
    [InlineData(0, 100, 200, 10, 9_800, "the store is ahead: at least by what Date is later than receiving")]
    [InlineData(0, 10_100, 10_200, 0, -9_100, "the store is behind: at most by what the end of Date's second is earlier than sending")]
    [InlineData(9_800, 100, 200, 0, 900, "a correction that was too much comes down to the bound")]
    [InlineData(9_800, 100, 200, 10, 9_800, "the same answer again changes nothing")]
    [InlineData(0, 0, 30_000, 25, 0, "a slow answer may have been stamped at any time meanwhile")]
    [InlineData(0, 0, 30_000, 40, 10_000, "a slow answer proves something all the same: the store is ahead of receiving")]
    public void Is_corrected_only_as_far_as_an_answer_proves(
        int correction, int sent, int received, int date, int expected, string why)
    {
        var corrected = StoreClock.Correct(
            TimeSpan.FromMilliseconds(correction), Noon.AddMilliseconds(sent), Noon.AddMilliseconds(received), Noon.AddSeconds(date));

        Assert.Equal((TimeSpan.FromMilliseconds(expected), why), (corrected, why));
    }

    [Fact]
    public void Is_never_moved_away_from_the_truth()
    {
        // Milliseconds: what the store is ahead, when was sent, how long each way took, what was believed before.
        var cases =
            from ahead in Gen.Choose(-100_000, 100_000)
            from sent in Gen.Choose(0, 100_000)
            from there in Gen.Choose(0, 5_000)
            from back in Gen.Choose(0, 5_000)
            from before in Gen.Choose(-100_000, 100_000)
            select (ahead, sent, there, back, before);

        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var stamped = Noon.AddMilliseconds(one.sent + one.there + one.ahead);
            var date = stamped.AddTicks(-(stamped.Ticks % TimeSpan.TicksPerSecond));
            var after = StoreClock.Correct(
                TimeSpan.FromMilliseconds(one.before), Noon.AddMilliseconds(one.sent), Noon.AddMilliseconds(one.sent + one.there + one.back), date);
            var errorBefore = Math.Abs(one.before - one.ahead);
            var errorAfter = Math.Abs(after.TotalMilliseconds - one.ahead);
            return errorAfter <= errorBefore && errorAfter <= one.there + one.back + 1_000;
        }).QuickCheckThrowOnFailure();
    }
}

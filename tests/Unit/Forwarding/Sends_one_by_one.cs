using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>A target that answers for each entry by itself: what may be on its way when, and what is said in the end.</summary>
public sealed class Sends_one_by_one : IDisposable
{
    private static readonly Delivery Taken = new Delivery.Accepted(1);
    private static readonly Delivery Full = new Delivery.Failed(new IOException("It is full."), IsTransient: true);
    private readonly List<(EventEntry Entry, TaskCompletionSource<Delivery> Answer)> _sent = [];
    private readonly Clock _time = new();
    private readonly CancellationTokenSource _end = new();
    private SingleSends? _sends;

    [Fact]
    public async Task Have_many_subjects_on_their_way_at_once()
    {
        var delivery = Deliver("a", "b", "c");

        Assert.Equal([0L, 1, 2], Sent);
        Answer(Taken, Taken, Taken);
        Assert.Equal(new Delivery.Accepted(3), await delivery);
    }

    [Fact]
    public async Task Have_one_entry_of_a_subject_on_its_way_and_let_other_subjects_pass()
    {
        var delivery = Deliver("a", "b", "a", "c");

        Assert.Equal([0L, 1, 3], Sent);
        Answer(0, Taken);
        Assert.Equal([0L, 1, 3, 2], Sent);
        Answer(1, Taken);
        Answer(2, Taken);
        Answer(3, Taken);
        Assert.Equal(new Delivery.Accepted(4), await delivery);
    }

    [Fact]
    public async Task End_where_one_is_not_taken_and_say_how_many_were_before_it()
    {
        var delivery = Deliver("a", "b", "c", "b", "d");

        Answer(1, Full);
        Answer(0, Taken);
        Answer(2, Taken);
        Answer(4, Taken);

        Assert.Equal(new Delivery.Accepted(1), await delivery);
        Assert.Equal([0L, 1, 2, 4], Sent);
    }

    [Fact]
    public async Task Have_what_waits_for_its_subject_sent_before_what_comes_later()
    {
        var delivery = Deliver(["a", "a", "b", "c", "d"], entriesMax: 2);

        Assert.Equal([0L, 2], Sent);
        Answer(0, Taken);
        Assert.Equal([0L, 2, 1], Sent);
        Answer(2, Taken);
        Assert.Equal([0L, 2, 1, 3], Sent);
        for (var i = 1; i < 5; i++) if (i != 2) Answer(i, Taken);
        Assert.Equal(new Delivery.Accepted(5), await delivery);
    }

    [Fact]
    public async Task Begin_none_after_one_was_not_taken_also_of_subjects_that_were()
    {
        var delivery = Deliver("a", "b", "a");
        Answer(1, Full);
        Answer(0, Taken);

        Assert.Equal(new Delivery.Accepted(1), await delivery);
        Assert.Equal([0L, 1], Sent);
    }

    [Fact]
    public async Task Say_what_became_of_the_first_where_it_was_not_taken()
    {
        var delivery = Deliver("a", "b");

        Answer(Full, Taken);

        Assert.Same(Full, await delivery);
    }

    // Else all that follows would be sent each time that the first is tried.
    [Fact]
    public async Task Try_one_alone_that_was_not_taken_before()
    {
        var first = Deliver("a", "b", "c");
        Answer(Full, Taken, Taken);
        await first;
        _sent.Clear();

        var second = Deliver("a", "b", "c");

        Assert.Equal([0L], Sent);
        Answer(0, Taken);
        Assert.Equal([0L, 1, 2], Sent);
        Answer(1, Taken);
        Answer(2, Taken);
        Assert.Equal(new Delivery.Accepted(3), await second);
    }

    [Fact]
    public async Task Have_so_many_on_their_way_and_no_more()
    {
        var delivery = Deliver([.. Enumerable.Range(0, 6).Select(i => $"s{i}")], entriesMax: 4);

        Assert.Equal([0L, 1, 2, 3], Sent);
        Answer(0, Taken);
        Assert.Equal(5, _sent.Count);
        for (var i = 1; i < 6; i++) Answer(i, Taken);
        Assert.Equal(new Delivery.Accepted(6), await delivery);
    }

    [Fact]
    public async Task Have_so_many_bytes_on_their_way_and_a_larger_one_alone()
    {
        var delivery = Deliver(["a", "b", "c"], bytes: 5000, bytesMax: 8000);

        Assert.Equal([0L], Sent);
        Answer(0, Taken);
        Assert.Equal([0L, 1], Sent);
        Answer(1, Taken);
        Answer(2, Taken);
        Assert.Equal(new Delivery.Accepted(3), await delivery);
    }

    [Fact]
    public async Task Say_at_the_end_what_was_taken_by_then()
    {
        var delivery = Deliver("a", "b", "c");
        Answer(0, Taken);
        Answer(2, Taken);

        await _end.CancelAsync();

        Assert.Equal(new Delivery.Accepted(1), await delivery);
    }

    [Fact]
    public async Task Are_cancelled_at_the_end_without_an_answer_for_the_first()
    {
        var delivery = Deliver("a", "b");
        Answer(1, Taken);

        await _end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => delivery);
    }

    [Fact]
    public async Task Begin_none_after_two_seconds_so_that_a_checkpoint_is_written()
    {
        var delivery = Deliver("a", "a");
        _time.Advance(TimeSpan.FromSeconds(2.1));

        Answer(0, Taken);

        Assert.Equal(new Delivery.Accepted(1), await delivery);
        Assert.Equal([0L], Sent);
    }

    public void Dispose() => _end.Dispose();

    private IEnumerable<long> Sent => _sent.Select(one => one.Entry.Offset);

    private void Answer(params Delivery[] answers)
    {
        // From the last on: who waits for the first goes on when all are there.
        for (var i = answers.Length - 1; i >= 0; i--) Answer(i, answers[i]);
    }

    private void Answer(long offset, Delivery answer) => AtOnce(() =>
    {
        _sent.Single(one => one.Entry.Offset == offset).Answer.SetResult(answer);
        return answer;
    });

    private Task<Delivery> Deliver(params string[] subjects) => Deliver(subjects, 100);

    private Task<Delivery> Deliver(string[] subjects, int entriesMax = 100, int bytes = 10, long bytesMax = 1_000_000)
    {
        _sends ??= new SingleSends(entriesMax, bytesMax, _time);
        EventEntry[] entries = [.. subjects.Select((subject, offset) => new EventEntry(
            new EventId("k3v9x2ab", 0, offset), "T", "text/plain", new byte[bytes], DateTimeOffset.UnixEpoch, subject, 1, null, null))];
        return AtOnce(() => _sends.DeliverAsync(
            entries,
            entry =>
            {
                var answer = new TaskCompletionSource<Delivery>();
                _sent.Add((entry, answer));
                return ValueTask.FromResult(answer.Task);
            },
            _end.Token));
    }

    // Whoever waits goes on within the call, so that nothing here needs to wait for anything.
    private static T AtOnce<T>(Func<T> act)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return act();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    private sealed class Clock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}

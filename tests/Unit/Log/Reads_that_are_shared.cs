using System.Threading.Channels;

namespace Outpost.Tests.Unit.Log;

public sealed class Reads_that_are_shared
{
    private readonly SharedReads<string, int> _reads = new();
    private readonly Channel<TaskCompletionSource<int>> _begun = Channel.CreateUnbounded<TaskCompletionSource<int>>();

    [Fact]
    public async Task Are_never_older_than_the_question()
    {
        var first = Ask();
        var late = Ask();

        (await BegunAsync()).SetResult(1);
        Assert.Equal(1, await first);
        // Were it given the first one, it would not begin a second.
        Assert.NotSame(late, await Task.WhenAny(late, _begun.Reader.WaitToReadAsync().AsTask()));
        (await BegunAsync()).SetResult(2);

        Assert.Equal(2, await late);
    }

    [Fact]
    public async Task Are_one_where_no_later_read_can_be_another()
    {
        var all = Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Ask(isForGood: true)));

        (await BegunAsync()).SetResult(1);

        Assert.All(await all, read => Assert.Equal(1, read));
        Assert.False(_begun.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Are_of_one_key_each()
    {
        var (one, other) = (Ask(key: "a"), Ask(key: "b"));
        var (readsOne, readsOther) = (await BegunAsync(), await BegunAsync());

        readsOther.SetResult(2);
        Assert.Equal(2, await other);
        readsOne.SetResult(1);
        Assert.Equal(1, await one);
    }

    private ValueTask<TaskCompletionSource<int>> BegunAsync() => _begun.Reader.ReadAsync();

    private Task<int> Ask(string key = "k", bool isForGood = false) => _reads.ReadAsync(
        key,
        () =>
        {
            var read = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            Assert.True(_begun.Writer.TryWrite(read));
            return read.Task;
        },
        _ => isForGood,
        CancellationToken.None);
}

using System.Collections.Concurrent;
using Azure.Data.Tables;
using Outpost.Client;
using Outpost.Forwarding;
using Outpost.Tests.Integration.Contract;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Consumers;

/// <summary>What a handler may rely on, whatever messaging system delivers: its effects, kept in a table, each once and in order.</summary>
public abstract class ConsumerContract
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [TargetFact]
    public async Task Takes_each_effect_once_in_order_although_all_comes_twice_and_a_replay_takes_effect_again_once()
    {
        await using var here = await HereAsync();
        var entries = Entries(60, subjects: 6);
        await here.DeliverAsync(entries);
        await here.DeliverAsync(entries);
        await here.DeliverAsync(entries[..1], replay: "r1");
        await here.DeliverAsync(entries[..1], replay: "r1");

        await here.RunUntilAsync(async () => here.Handled >= 122 && await here.EventsAsync() >= 61);

        Assert.Equal("E0 E1 E2 E3 E4 E5 E6 E7 E8 E9 E0", await here.HistoryAsync("order/0"));
        for (var subject = 1; subject < 6; subject++) Assert.Equal("E0 E1 E2 E3 E4 E5 E6 E7 E8 E9", await here.HistoryAsync($"order/{subject}"));
    }

    [TargetFact]
    public async Task Takes_each_effect_once_although_consumers_end_before_they_have_settled()
    {
        await using var here = await HereAsync();
        var entries = Entries(60, subjects: 6);
        await here.DeliverAsync(entries);
        var random = new Random(7);
        var ends = 0;

        while (ends < 3)
        {
            using var end = new CancellationTokenSource(Patience);
            await here.RunAsync(async (message, stop) =>
            {
                await here.HandleAsync(message, stop);
                lock (random) if (random.Next(8) > 0) return;
                // The effect is there; nobody hears of it.
                await end.CancelAsync();
                end.Token.ThrowIfCancellationRequested();
            }, end.Token);
            ends++;
        }

        await here.RunUntilAsync(async () => await here.EventsAsync() == 60);
        for (var subject = 0; subject < 6; subject++) Assert.Equal("E0 E1 E2 E3 E4 E5 E6 E7 E8 E9", await here.HistoryAsync($"order/{subject}"));
    }

    [TargetFact]
    public async Task Sets_a_poison_message_aside_and_later_takes_it_out_of_there_although_others_have_passed_it()
    {
        await using var here = await HereAsync();
        here.Poison = message => message is { Subject: "order/1", Type: "E1" or "E2" };
        await here.DeliverAsync(Entries(12, subjects: 3));
        await here.RunUntilAsync(async () => await here.EventsAsync() == 10 && here.Poisoned == 2);

        var still = await here.RetryAsync();
        Assert.Equal("E0 E3", await here.HistoryAsync("order/1"));
        here.Poison = _ => false;
        var mended = await here.RetryAsync();
        var nothing = await here.RetryAsync();

        // Of one subject nothing passes what still fails.
        Assert.Equal(((0, 2), (2, 0), (0, 0)), (still, mended, nothing));
        Assert.Equal(3, here.Poisoned);
        Assert.Equal("E0 E3 E1 E2", await here.HistoryAsync("order/1"));
        Assert.Equal("E0 E1 E2 E3", await here.HistoryAsync("order/0"));
    }

    [TargetFact]
    public async Task Makes_no_dead_letter_while_its_store_is_away_and_goes_on_when_it_is_back()
    {
        await using var here = await HereAsync();
        var tries = 0;
        here.Fault = () => Interlocked.Increment(ref tries) <= 15 ? new HttpRequestException("The store is away.") : null;
        await here.DeliverAsync(Entries(6, subjects: 3));

        await here.RunUntilAsync(() => here.Handled >= 6);

        Assert.Equal((0, 0), await here.RetryAsync());
        for (var subject = 0; subject < 3; subject++) Assert.Equal("E0 E1", await here.HistoryAsync($"order/{subject}"));
    }

    [TargetFact]
    public async Task Sets_aside_what_is_no_event_and_goes_on()
    {
        await using var here = await HereAsync();
        await here.Under.SendAsync("hello");
        await here.DeliverAsync(Entries(3, subjects: 1));

        await here.RunUntilAsync(() => here.Handled >= 3 && here.Settled.Any(reason => reason?.Contains("'id' is missing", StringComparison.Ordinal) == true));

        Assert.Equal("E0 E1 E2", await here.HistoryAsync("order/0"));
        Assert.Equal((0, 1), await here.RetryAsync());
    }

    protected abstract Task<ConsumerUnderTest> StartAsync();

    /// <summary>The subjects in turn; the types count per subject.</summary>
    private static EventEntry[] Entries(int count, int subjects) => [.. Enumerable.Range(0, count).Select(offset => new EventEntry(
        new EventId("k3v9x2ab", 0, offset), $"E{offset / subjects}", "application/json", "{}"u8.ToArray(), DateTimeOffset.UnixEpoch.AddDays(20_000),
        $"order/{offset % subjects}", (offset / subjects) + 1, null, null))];

    private async Task<Here> HereAsync()
    {
        var table = new TableClient(await Azurite.ConnectionStringAsync(), Azurite.NewTableName());
        await table.CreateAsync();
        return new Here(await StartAsync(), table);
    }

    /// <summary>A messaging system, the consumer's own store, and what goes wrong.</summary>
    private sealed class Here(ConsumerUnderTest under, TableClient table) : IAsyncDisposable
    {
        private readonly OrderHistory _history = new(table);
        private int _handled;
        private int _poisoned;

        public ConsumerUnderTest Under => under;

        public Func<EventMessage, bool> Poison { get; set; } = _ => false;

        public Func<Exception?> Fault { get; set; } = () => null;

        public int Handled => _handled;

        public int Poisoned => _poisoned;

        public ConcurrentQueue<string?> Settled { get; } = [];

        public async Task HandleAsync(EventMessage message, CancellationToken stop)
        {
            if (Fault() is { } fault) throw fault;
            if (Poison(message))
            {
                Interlocked.Increment(ref _poisoned);
                throw new PoisonMessageException($"{message.Type} cannot be read.");
            }

            await _history.HandleAsync(message, stop);
            Interlocked.Increment(ref _handled);
        }

        public async Task DeliverAsync(EventEntry[] entries, string? replay = null)
        {
            for (var done = 0; done < entries.Length;)
                done += Assert.IsType<Delivery.Accepted>(await under.Target.DeliverAsync(entries[done..], replay, CancellationToken.None)).Count;
        }

        public Task RunAsync(Func<EventMessage, CancellationToken, Task> handle, CancellationToken stop) => Consumer(handle).RunAsync(stop);

        public Task RunUntilAsync(Func<bool> done) => RunUntilAsync(() => Task.FromResult(done()));

        public async Task RunUntilAsync(Func<Task<bool>> done)
        {
            using var stop = new CancellationTokenSource();
            var run = RunAsync(HandleAsync, stop.Token);
            using var late = new CancellationTokenSource(Patience);
            while (!await done())
            {
                Assert.False(late.IsCancellationRequested, $"{Handled} were handled, {Settled.Count} settled.");
                await Task.Delay(20);
            }

            await stop.CancelAsync();
            await run.WaitAsync(Patience);
        }

        public Task<(int Done, int Left)> RetryAsync() => Consumer(HandleAsync).RetryDeadLettersAsync(CancellationToken.None);

        public async Task<string> HistoryAsync(string subject) => (await table.GetEntityAsync<TableEntity>(subject.Replace('/', '~'), "history")).Value.GetString("Events");

        /// <summary>How many effects there are.</summary>
        public async Task<int> EventsAsync()
        {
            var all = 0;
            await foreach (var row in table.QueryAsync<TableEntity>(row => row.RowKey == "history")) all += row.GetString("Events").Split(' ').Length;
            return all;
        }

        public async ValueTask DisposeAsync() => await under.DisposeAsync();

        private MessageConsumer Consumer(Func<EventMessage, CancellationToken, Task> handle) => new(
            under.Source(), handle, new MessageConsumerOptions(), TimeProvider.System, Random.Shared)
        { OnSettled = Settled.Enqueue };
    }
}

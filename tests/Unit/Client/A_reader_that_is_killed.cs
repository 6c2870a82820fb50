using Outpost.Client;
using Outpost.Tests.Unit.Docs;

namespace Outpost.Tests.Unit.Client;

/// <summary>
/// A process that reads the event API and dies at its n-th step, for every n there is, and a second one that dies at its
/// m-th; a third reads to the end. Steps are where a process meets the world, before and after the effect: loading,
/// reading, handling, storing.
/// </summary>
public sealed class A_reader_that_is_killed
{
    private const int Entries = 5;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task At_any_step_skips_nothing_and_repeats_only_what_was_not_stored(bool eachEntry, bool filtered)
    {
        await using var log = await LogAsync();
        var options = Options(filtered) with { StoreEachEntry = eachEntry };
        // What one death may repeat: a page, or an entry.
        var repeatsMax = eachEntry ? 1 : options.Limit;

        var runs = await KillAtEveryStepAsync(async (n, m) =>
        {
            var store = new MemoryOffsetStore();
            var handled = new List<long>();
            var died = await LivesAsync(n, m, process => process.RunAsync(
                log, options, store.LoadAsync,
                new StoringHandler(new MortalStore(store, process), HandleAsync(process, handled), options.StoreEachEntry, log.Time).HandleAsync,
                isDone: () => store.LoadAsync(0, default).Result?.Offset == Entries));

            Assert.Equal(Expected(filtered), handled.Distinct());
            Assert.True(handled.Count <= Expected(filtered).Count + (died * repeatsMax), $"{n}, {m}: {string.Join(' ', handled)}");
            // After a repeat it goes on in order: never past an entry that was not handled.
            Assert.All(handled.Zip(handled.Skip(1)), pair => Assert.True(pair.Second <= pair.First + (filtered ? 2 : 1), $"{n}, {m}: {string.Join(' ', handled)}"));
            return died;
        });

        // Or nothing was tried at all.
        Assert.InRange(runs, 200, 5_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task At_any_step_has_its_effect_exactly_once_where_the_handler_stores_the_position_with_it(bool filtered)
    {
        await using var log = await LogAsync();

        var runs = await KillAtEveryStepAsync(async (n, m) =>
        {
            var table = new SimulatedTable(log.Time);
            var died = await LivesAsync(n, m, process =>
            {
                table.Faults = _ => process.Dies() ? new TableFault.BeforeEffect(Killed) : process.Dies() ? new TableFault.AfterEffect(Killed) : null;
                var projection = new EventsPerType(table);
                return process.RunAsync(
                    log, Options(filtered), projection.LoadAsync, projection.HandleAsync,
                    isDone: () => IsDone(table));
            });

            Assert.Equal((3, filtered ? null : 2), Counts(table));
            return died;
        });

        Assert.InRange(runs, 200, 5_000);
    }

    [Fact]
    public async Task At_no_step_but_meets_a_fault_there_has_its_effect_exactly_once_too()
    {
        await using var log = await LogAsync();
        for (var n = 1; ; n++)
        {
            var table = new SimulatedTable(log.Time);
            var process = new Process(n, survives: true);
            table.Faults = _ => process.Dies() ? new TableFault.BeforeEffect(Killed) : process.Dies() ? new TableFault.AfterEffect(Killed) : null;
            var projection = new EventsPerType(table);

            await process.RunAsync(log, Options(filtered: false), projection.LoadAsync, projection.HandleAsync, isDone: () => IsDone(table))
                .WaitAsync(TimeSpan.FromSeconds(30));

            Assert.Equal((3, 2, n), (Counts(table).Item1, Counts(table).Item2, n));
            process.Dispose();
            if (!process.HasMetIt) break;
        }
    }

    // Each loses at most four times in a row, once for each page of the other: pauses that pass by themselves here.
    [Fact]
    public async Task Together_with_another_of_the_same_name_has_its_effect_exactly_once()
    {
        await using var log = await LogAsync();
        var table = new SimulatedTable(log.Time);

        await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            using var process = new Process(0);
            var projection = new EventsPerType(table);
            await process.RunAsync(
                log, Options(filtered: false), projection.LoadAsync, projection.HandleAsync,
                isDone: () => IsDone(table));
        }));

        Assert.Equal((3, 2), Counts(table));
    }

    private static bool IsDone(SimulatedTable table) =>
        table.Row("0000", "position")?.GetString("Next").EndsWith($"{Entries}", StringComparison.Ordinal) == true;

    private static (long?, long?) Counts(SimulatedTable table) =>
        (table.Row("0000", "type Even")?.GetInt64("Count"), table.Row("0000", "type Odd")?.GetInt64("Count"));

    // With the filter, the entries 1 and 3 are of another type.
    private static List<long> Expected(bool filtered) => filtered ? [0, 2, 4] : [0, 1, 2, 3, 4];

    private static FeedReaderOptions Options(bool filtered) => new()
    {
        Limit = 2,
        Wait = TimeSpan.Zero,
        PollInterval = TimeSpan.FromSeconds(1),
        Types = filtered ? ["Even"] : [],
    };

    private static async Task<SimulatedLog> LogAsync()
    {
        var log = new SimulatedLog();
        for (var i = 0; i < Entries; i++)
        {
            var noted = new NewEvent(i % 2 == 0 ? "Even" : "Odd", "text/plain", "x"u8.ToArray());
            await log.DoAsync(Tallies.Count("t", $"s{i}") with { Decide = _ => new Decision<Tally>.Accepted(new Tally(i, []), [noted]) });
        }

        return log;
    }

    private static Func<FeedEntry, CancellationToken, Task> HandleAsync(Process process, List<long> handled) => (entry, _) =>
    {
        process.Step();
        handled.Add(entry.Offset);
        process.Step();
        return Task.CompletedTask;
    };

    /// <summary>All deaths there are: the second process is killed at every step of what is left to do after the first.</summary>
    private static async Task<int> KillAtEveryStepAsync(Func<int, int, Task<int>> run)
    {
        var runs = 0;
        for (var n = 1; ; n++)
        {
            for (var m = 1; ; m++)
            {
                runs++;
                var died = await run(n, m);
                if (died == 0) return runs;
                if (died == 1) break;
            }
        }
    }

    /// <summary>Three processes, one after the other; how many of them died.</summary>
    private static async Task<int> LivesAsync(int n, int m, Func<Process, Task> run)
    {
        var died = 0;
        foreach (var dieAt in new[] { n, m, 0 })
        {
            using var process = new Process(dieAt);
            await run(process);
            if (!process.IsDead) break;
            died++;
        }

        return died;
    }

    private static Exception Killed() => new InvalidOperationException("Killed.");

    private sealed class Process(int dieAt, bool survives = false) : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private int _steps;

        public bool IsDead { get; private set; }

        public bool HasMetIt => _steps >= dieAt;

        /// <summary>One step further; true: this is where it dies, or only fails if it survives, or it is dead already.</summary>
        public bool Dies()
        {
            if (IsDead || ++_steps != dieAt) return IsDead;
            if (survives) return true;
            IsDead = true;
            _stop.Cancel();
            return true;
        }

        public void Step()
        {
            if (Dies()) throw Killed();
        }

        public void Dispose() => _stop.Dispose();

        public async Task RunAsync(
            SimulatedLog log, FeedReaderOptions options, Func<int, CancellationToken, Task<FeedPosition?>> load,
            Func<FeedPage, CancellationToken, Task> handle, Func<bool> isDone)
        {
            using var http = new HttpClient(new MortalConnection(this, log)) { BaseAddress = new Uri("http://feed.example/") };
            await new FeedReader(http, log.Time, new Random(1), options).RunAsync(
                async (partition, cancellationToken) =>
                {
                    Step();
                    var position = await load(partition, cancellationToken);
                    Step();
                    if (isDone()) await _stop.CancelAsync();
                    return position;
                },
                async (page, cancellationToken) =>
                {
                    await handle(page, cancellationToken);
                    if (isDone()) await _stop.CancelAsync();
                },
                _stop.Token);
        }
    }

    private sealed class MortalConnection : DelegatingHandler
    {
        private readonly Process _process;

        public MortalConnection(Process process, SimulatedLog log) : base(new FeedServer(log)) => _process = process;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            _process.Step();
            var response = await base.SendAsync(request, cancellationToken);
            _process.Step();
            return response;
        }
    }

    private sealed class MortalStore(IOffsetStore store, Process process) : IOffsetStore
    {
        public Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken) => store.LoadAsync(partition, cancellationToken);

        public async Task StoreAsync(FeedPosition position, CancellationToken cancellationToken)
        {
            process.Step();
            await store.StoreAsync(position, cancellationToken);
            process.Step();
        }
    }
}

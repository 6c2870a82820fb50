using System.Threading.Channels;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// The commit path: how many requests a command costs, how many commands a second, and how far that is from what the
/// store takes at all. Bare loops and product take turns within each round, each in a new table; those that are compared
/// by rows write the same number of them.
/// </summary>
internal sealed class CommitBenchmarks
{
    private const int Many = 64;
    private readonly OrderCommands _orders = new();
    private readonly Sizes _sizes;
    private readonly RecordedCommands _recorded;
    private readonly Figures _figures;

    private CommitBenchmarks(Sizes sizes, RecordedCommands recorded, Figures figures)
    {
        _sizes = sizes;
        _recorded = recorded;
        _figures = figures;
    }

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        var sizes = options.Quick ? Sizes.Quick : Sizes.Full;
        Console.WriteLine("commit: warming up");
        var recorded = await RecordedCommands.RecordAsync();
        // Everything once for nothing: compilers and caches have seen it all before the first round that counts.
        await new CommitBenchmarks(Sizes.WarmUp, recorded, new Figures()).RoundAsync();

        var rounds = new CommitBenchmarks(sizes, recorded, figures);
        for (var round = 1; round <= sizes.Rounds; round++)
        {
            Console.WriteLine($"commit: round {round} of {sizes.Rounds}");
            var others = new OtherLoad();
            await rounds.RoundAsync();
            if (OtherLoad.IsKnown)
                figures.Sample("machine.other_load", others.Cores(), "cores", "taken by other programs; above 0.2 the figures are too low");
        }

        Console.WriteLine("commit: memory");
        await CommitMemory.RunAsync(options, figures);
    }

    private async Task RoundAsync()
    {
        await SerialAsync();
        var raw = await RawAsync();
        var placed = await PlaceAsync(raw);
        await WaitsAsync();
        await NaiveAsync(placed);
        await PlaceWithoutKeyAsync(partitions: 1, ".nokey.c64");
        await PlaceWithoutKeyAsync(partitions: 4, ".nokey.c64.4p");
        await PayAsync();
        await HotAsync();
    }

    private async Task SerialAsync()
    {
        await using var log = await MeasuredLog.CreateAsync();
        var serial = await Measured.RunAsync(
            _sizes.Few, log.Requests, () => Callers.RunAsync(1, _sizes.Few, _ => _orders.PlaceAsync(log.Log, withKey: true)));
        _figures.Sample(
            "commit.requests_per_command.serial", serial.RequestsPerOne, "requests", "a commit is one transaction and no read");
    }

    // Of a full transaction: entity, receipt and event of each command, and the head.
    private const int Rows = (RecordedCommands.PerTransaction * 3) + 1;

    private async Task<Measured> RawAsync()
    {
        await using var bare = await BareWriter.CreateAsync(_recorded);
        var transactions = _sizes.Commands / RecordedCommands.PerTransaction;
        var raw = await Measured.RunAsync(
            transactions * Rows, bare.Requests, () => bare.WriteFullTransactionsAsync(transactions));
        _figures.Sample("raw.egt_entities_per_s", raw.PerSecond, "rows/s", raw.Busy);
        return raw;
    }

    private async Task<Measured> PlaceAsync(Measured raw)
    {
        await using var log = await MeasuredLog.CreateAsync();
        var placed = await PlaceAsync(log, withKey: true);
        var transactions = placed.Requests.Transactions;
        _figures.Sample(
            "commit.requests_per_command.c64",
            placed.RequestsPerOne,
            "requests",
            $"33 commands fill a transaction; the callers fill it with {(double)placed.Count / transactions:0.0}");
        _figures.Sample("commit.commands_per_s.c64", placed.PerSecond, "commands/s", placed.Busy);
        var rows = (placed.Count * 3) + transactions;
        var share = rows / placed.Elapsed.TotalSeconds / raw.PerSecond;
        _figures.Sample("commit.vs_raw", share, "of raw", "what the bare loop is spared: deciding, building rows, answering");
        _figures.Sample(
            "cpu.us_per_command",
            placed.OwnCpu.TotalMicroseconds / placed.Count,
            "µs",
            "library, SDK and callers; serializing and signing three rows");
        _figures.Sample(
            "alloc.bytes_per_command", (double)placed.AllocatedBytes / placed.Count, "bytes", "rows and their size estimate, SDK, callers");
        var bareCommands = raw.Count / Rows * RecordedCommands.PerTransaction;
        var (bareBytes, bareMicroseconds) = ((double)raw.AllocatedBytes / bareCommands, raw.OwnCpu.TotalMicroseconds / bareCommands);
        _figures.Sample("alloc.vs_bare", placed.AllocatedBytes / (placed.Count * bareBytes), "times", $"the SDK alone takes {bareBytes:0} bytes for the three rows");
        _figures.Sample("cpu.vs_bare", placed.OwnCpu.TotalMicroseconds / (placed.Count * bareMicroseconds), "times", $"the SDK alone takes {bareMicroseconds:0.0} µs");
        return placed;
    }

    // How long a caller waits, beside callers who share transactions with nothing to decide or to keep.
    private async Task WaitsAsync()
    {
        double[] bare;
        await using (var writer = await BareWriter.CreateAsync(_recorded))
        {
            var waiting = Channel.CreateUnbounded<TaskCompletionSource>(new UnboundedChannelOptions { SingleReader = true });
            var served = writer.ServeAsync(waiting.Reader);
            bare = await Callers.TimeAsync(Many, _sizes.Commands, _ => BareWriter.WriteTogetherAsync(waiting.Writer));
            waiting.Writer.Complete();
            await served;
        }

        await using var log = await MeasuredLog.CreateAsync();
        var own = await Callers.TimeAsync(Many, _sizes.Commands, _ => _orders.PlaceAsync(log.Log, withKey: true));
        var (bareLong, ownLong) = (Callers.Percentile(bare, 0.99), Callers.Percentile(own, 0.99));
        _figures.Sample("commit.p99_ms.c64", ownLong, "ms", "two transactions: the one under way, and one's own");
        _figures.Sample("commit.p99.vs_raw", ownLong / bareLong, "times", $"callers who share transactions of the SDK alone wait {bareLong:0.0} ms");
        _figures.Sample(
            "commit.p50.vs_raw", Callers.Percentile(own, 0.5) / Callers.Percentile(bare, 0.5), "times", "as commit.p99.vs_raw");
    }

    private async Task NaiveAsync(Measured placed)
    {
        await using var bare = await BareWriter.CreateAsync(_recorded);
        var naive = await Measured.RunAsync(
            _sizes.Few, bare.Requests, () => Callers.RunAsync(Many, _sizes.Few, bare.WriteNaivelyAsync));
        _figures.Sample(
            "commit.vs_naive",
            placed.PerSecond / naive.PerSecond,
            "times",
            $"{naive.PerSecond:0} commands/s one by one: {naive.RequestsPerOne:0.0} requests each; {naive.Busy}");
    }

    private async Task PlaceWithoutKeyAsync(int partitions, string suffix)
    {
        await using var log = await MeasuredLog.CreateAsync(partitions);
        var placed = await PlaceAsync(log, withKey: false);
        _figures.Sample("commit.commands_per_s" + suffix, placed.PerSecond, "commands/s", placed.Busy);
    }

    private Task<Measured> PlaceAsync(MeasuredLog log, bool withKey) => Measured.RunAsync(
        _sizes.Commands,
        log.Requests,
        () => Callers.RunAsync(Many, _sizes.Commands, _ => _orders.PlaceAsync(log.Log, withKey)));

    private async Task PayAsync()
    {
        await using var log = await MeasuredLog.CreateAsync();
        var ids = new string[_sizes.Paid];
        await Callers.RunAsync(Many, ids.Length, async number => ids[number] = await _orders.PlaceAsync(log.Log, withKey: true));
        var paid = await Measured.RunAsync(
            ids.Length, log.Requests, () => Callers.RunAsync(Many, ids.Length, number => _orders.PayAsync(log.Log, ids[number])));
        _figures.Sample(
            "commit.requests_per_command.pay.c64",
            paid.RequestsPerOne,
            "requests",
            $"one read of the order each; {(double)paid.Count / paid.Requests.Transactions:0.0} in a transaction");
    }

    private async Task HotAsync()
    {
        await using var log = await MeasuredLog.CreateAsync();
        var id = await _orders.PlaceAsync(log.Log, withKey: true);
        var hot = await Measured.RunAsync(
            _sizes.Few, log.Requests, () => Callers.RunAsync(Many, _sizes.Few, _ => _orders.ChangeAsync(log.Log, id)));
        _figures.Sample(
            "commit.requests_per_command.hot.c64",
            hot.RequestsPerOne,
            "requests",
            $"an entity changes once in a transaction: one read, one transaction each; {hot.PerSecond:0} commands/s");
    }

    /// <summary>How much a round does.</summary>
    /// <param name="Rounds">How often.</param>
    /// <param name="Commands">Commands where they are fast, a multiple of what fills a transaction.</param>
    /// <param name="Few">Commands where they go one by one.</param>
    /// <param name="Paid">Orders to pay.</param>
    private sealed record Sizes(int Rounds, int Commands, int Few, int Paid)
    {
        public static readonly Sizes WarmUp = new(1, 40 * RecordedCommands.PerTransaction, 256, 256);
        public static readonly Sizes Quick = new(1, 30 * RecordedCommands.PerTransaction, 128, 256);
        public static readonly Sizes Full = new(5, 300 * RecordedCommands.PerTransaction, 1024, 4096);
    }
}

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Outpost.Client;
using Outpost.Orders;
using Outpost.Tests.Unit.Client;

namespace Outpost.Tests.Unit.Docs;

public sealed class The_page_on_feed_readers
{
    [Fact]
    public void Shows_the_code_that_is_compiled_and_run_here() => DocPage.AssertShows("feed-readers.md", "Unit/Docs/ReadingTheFeed.cs");

    [Fact]
    public async Task Says_how_a_reader_keeps_its_position_in_a_file()
    {
        await using var log = new SimulatedLog();
        var placed = NewEvent.Json(new OrderPlaced("o-1", "c1", [], 0), OrdersJson.Default.OrderPlaced);
        for (var i = 0; i < 150; i++)
            await log.DoAsync(Tallies.Count("t", $"s{i}") with { Decide = _ => new Decision<Tally>.Accepted(new Tally(1, []), [placed]) });
        var path = Path.Combine(Directory.CreateTempSubdirectory("outpost-docs-").FullName, "position");
        using var stop = new CancellationTokenSource();
        // The first page, the second, and the third, which would wait.
        using var http = new HttpClient(new FeedServer(log) { Asked = query => { if (query.Contains("offset=150", StringComparison.Ordinal)) stop.Cancel(); } })
        {
            BaseAddress = new Uri("http://feed.example/"),
        };

        await ReadingTheFeed.ReadAsync(http, path, stop.Token);

        Assert.Equal(150, (await new FileOffsetStore(path).LoadAsync(0, CancellationToken.None))!.Offset);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task Says_how_to_go_on_with_what_retention_has_left()
    {
        await using var log = new SimulatedLog();
        for (var i = 0; i < 7; i++) await log.DoAsync(Tallies.Count("t", $"s{i}"));
        await using var server = log.AnotherProcess();
        log.Table.Put(new Azure.Data.Tables.TableEntity("0000", "!oldest") { ["Offset"] = 4L });
        for (var offset = 0; offset < 4; offset++) log.Table.Remove("0000", $"e|{offset:D19}");
        var store = new MemoryOffsetStore();
        await store.StoreAsync(new FeedPosition((await log.Store.LayoutAsync(CancellationToken.None)).Log, 0, 2), CancellationToken.None);
        using var stop = new CancellationTokenSource();
        using var http = new HttpClient(new FeedServer(server)) { BaseAddress = new Uri("http://feed.example/") };
        var handled = new List<long>();

        await ReadingTheFeed.ReadWhatIsLeftAsync(new FeedReader(http, time: log.Time), store, HandleAsync, stop.Token);

        Assert.Equal([4, 5, 6], handled);

        async Task HandleAsync(FeedEntry entry, CancellationToken cancellationToken)
        {
            handled.Add(entry.Offset);
            if (entry.Offset == 6) await stop.CancelAsync();
        }
    }

    [Fact]
    public async Task Says_how_an_app_reads_for_as_long_as_it_runs()
    {
        await using var log = new SimulatedLog();
        var placed = NewEvent.Json(new OrderPlaced("o-1", "c1", [], 0), OrdersJson.Default.OrderPlaced);
        await log.DoAsync(Tallies.Count("t", "s") with { Decide = _ => new Decision<Tally>.Accepted(new Tally(1, []), [placed]) });
        var folder = Directory.CreateTempSubdirectory("outpost-docs-").FullName;
        var mailer = new Mailer();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Orders:Url"] = "http://feed.example",
            ["Orders:PositionsFile"] = Path.Combine(folder, "mails.json"),
        });
        builder.Services.AddSingleton<IMailer>(mailer);
        builder.Services.AddMails(builder.Configuration);
        // Without a network.
        builder.Services.Configure<HostedFeedOptions>("mails", feed =>
        {
            feed.CreateClient = () => new HttpClient(new FeedServer(log)) { BaseAddress = new Uri("http://feed.example/") };
            feed.Address = null;
        });
        using var host = builder.Build();

        await host.StartAsync();
        var sent = await mailer.Sent.WaitAsync(TimeSpan.FromSeconds(30));
        await host.StopAsync();

        Assert.Equal(("c1", "OrderPlaced"), (sent.Customer, sent.What));
        Assert.Equal(1, (await new FileOffsetStore(Path.Combine(folder, "mails.json")).LoadAsync(0, CancellationToken.None))!.Offset);
        Directory.Delete(folder, recursive: true);
    }

    private sealed class Mailer : IMailer
    {
        private readonly TaskCompletionSource<(string Customer, string What)> _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<(string Customer, string What)> Sent => _sent.Task;

        public Task SendAsync(string customer, string what, string key, CancellationToken cancellationToken)
        {
            _sent.TrySetResult((customer, what));
            return Task.CompletedTask;
        }
    }
}

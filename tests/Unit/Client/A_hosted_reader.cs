using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Outpost.Client;

namespace Outpost.Tests.Unit.Client;

public sealed class A_hosted_reader
{
    [Fact]
    public async Task Handles_each_entry_in_a_scope_of_its_own_and_stores_how_far_it_has_come()
    {
        await using var log = await ThreeAsync();
        await using var app = new HostedApp(log, (services, feed) => services.AddOutpostFeedReader<Handler>("mails", feed));

        await app.Inner.StartAsync();
        await app.Diary.Has(6);
        await app.Inner.StopAsync();

        Assert.Equal(["0 handled", "ended", "1 handled", "ended", "2 handled", "ended"], app.Diary.Lines);
        Assert.Equal(3, (await app.Positions.LoadAsync(0, CancellationToken.None))!.Offset);
        Assert.Equal(["Information: Feed reader mails reads http://feed.example/"], app.Lines);
        Assert.Equal(3, Assert.Single(app.Inner.Services.GetRequiredKeyedService<FeedReader>("mails").Progress).Position!.Offset);
    }

    [Fact]
    public async Task Measures_what_it_handled_what_failed_and_how_far_it_is_behind()
    {
        await using var log = await ThreeAsync();
        await using var app = new HostedApp(log, (services, feed) => services.AddOutpostFeedReader<Handler>("mails", feed));
        app.Diary.Failure = entry => entry.Offset == 1 ? new InvalidOperationException("Never.") : null;

        await app.Inner.StartAsync();
        // The first, and one try of the second.
        await app.Diary.Has(3);
        await UntilAsync(() => app.Measured().GetValueOrDefault("outpost.client.lag mails 0") == 2 && app.Measured().ContainsKey("outpost.client.failures mails InvalidOperationException"));

        Assert.Equal(1, app.Measured()["outpost.client.handled mails 0"]);
    }

    [Fact]
    public async Task Tells_once_that_it_fails_and_once_that_it_works_again()
    {
        await using var log = await ThreeAsync();
        await using var app = new HostedApp(log, (services, feed) => services.AddOutpostFeedReader<Handler>("mails", feed));
        var tries = 0;
        app.Diary.Failure = entry => entry.Offset == 1 && ++tries <= 3 ? new InvalidOperationException("Not yet.") : null;

        await app.Inner.StartAsync();
        await app.Diary.Has(9);
        await app.Inner.StopAsync();

        Assert.Equal(
            [
                "Information: Feed reader mails reads http://feed.example/",
                "Warning: Feed reader mails, partition 0 is failing, and tries again: Not yet.",
                "Information: Feed reader mails, partition 0 works again",
            ],
            app.Lines);
        Assert.Equal(["0 handled", "1 handled", "2 handled"], app.Diary.Lines.Where(line => line != "ended"));
    }

    [Fact]
    public async Task Ends_the_app_where_somebody_has_to_decide_and_says_why()
    {
        await using var log = await ThreeAsync();
        log.Table.Put(new TableEntity("0000", "!oldest") { ["Offset"] = 2L });
        await using var server = log.AnotherProcess();
        await using var app = new HostedApp(server, (services, feed) => services.AddOutpostFeedReader<Handler>("mails", feed));
        await app.Positions.StoreAsync(new FeedPosition((await log.Store.LayoutAsync(CancellationToken.None)).Log, 0, 1), CancellationToken.None);
        var stopping = new TaskCompletionSource();
        app.Inner.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);

        await app.Inner.StartAsync();
        await stopping.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Assert.StartsWith("Error: Feed reader mails has stopped, so as not to skip anything; somebody has to decide (Expired): ", app.Lines[^1], StringComparison.Ordinal);
        Assert.Empty(app.Diary.Lines);
    }

    [Fact]
    public async Task Handles_pages_exactly_once_where_the_handler_stores_the_position_with_its_effect()
    {
        await using var log = await ThreeAsync();
        await using var app = new HostedApp(log, (services, feed) =>
        {
            services.AddSingleton<Ledger>();
            services.AddOutpostFeedPageReader<PageHandler>("mails", options =>
            {
                feed(options);
                options.Positions = null;
                options.Reader = new FeedReaderOptions { Limit = 2 };
            });
        });
        // After the effect: what came of it is known only to the ledger.
        app.Diary.Failure = entry => entry.Offset == 1 ? new TimeoutException() : null;

        await app.Inner.StartAsync();
        await app.Diary.Has(2);
        await app.Inner.StopAsync();

        var ledger = app.Inner.Services.GetRequiredService<Ledger>();
        Assert.Equal([0L, 1, 2], ledger.Effects);
        Assert.Equal(3, ledger.Position!.Offset);
        Assert.Equal(["page to 2", "page to 3"], app.Diary.Lines);
    }

    [Fact]
    public async Task Runs_beside_another_one()
    {
        await using var log = await ThreeAsync();
        await using var app = new HostedApp(log, (services, feed) => services
            .AddOutpostFeedReader<Handler>("mails", feed)
            .AddOutpostFeedReader<Handler>("refunds", options =>
            {
                feed(options);
                options.Positions = new MemoryOffsetStore();
            }));

        await app.Inner.StartAsync();
        await app.Diary.Has(12);
        await UntilAsync(() => app.Measured().GetValueOrDefault("outpost.client.handled mails 0") == 3);

        Assert.Equal(3, app.Measured()["outpost.client.handled refunds 0"]);
    }

    [Fact]
    public void Has_a_name_of_its_own() => Assert.Throws<ArgumentException>(() => new ServiceCollection()
        .AddOutpostFeedReader<Handler>("mails", _ => { }).AddOutpostFeedReader<Handler>("mails", _ => { }));

    [Theory]
    [InlineData("nothing", "Feed reader 'mails': Address is missing; allowed: an http or https URL such as https://orders.example/.")]
    [InlineData("ftp", "Feed reader 'mails': Address is 'ftp://x/'; allowed: an http or https URL such as https://orders.example/.")]
    [InlineData("positions", "Feed reader 'mails': Positions is missing: say where they are kept, such as new FileOffsetStore(path).")]
    [InlineData("limit", "Feed reader 'mails': Reader: Limit is 0; allowed: 1 to 1000. (Parameter 'Limit')")]
    [InlineData("both", "Feed reader 'mails': CreateClient makes the client: Address and Key are not used beside it.")]
    public async Task Is_checked_when_the_app_starts(string fault, string problem)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddOutpostFeedReader<Handler>("mails", feed =>
        {
            if (fault != "nothing") feed.Address = new Uri(fault == "ftp" ? "ftp://x" : "https://orders.example");
            if (fault != "positions") feed.Positions = new MemoryOffsetStore();
            if (fault == "limit") feed.Reader = new FeedReaderOptions { Limit = 0 };
            if (fault == "both") feed.CreateClient = () => new HttpClient();
        });
        using var host = builder.Build();

        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Equal(problem, refused.Message);
    }

    private static async Task<SimulatedLog> ThreeAsync()
    {
        var log = new SimulatedLog();
        for (var i = 0; i < 3; i++) await log.DoAsync(Tallies.Count($"t{i}", $"s{i}"));
        return log;
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            end.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class Handler(Diary diary) : IFeedHandler, IDisposable
    {
        public Task HandleAsync(FeedEntry entry, CancellationToken cancellationToken)
        {
            if (diary.Failure(entry) is { } failure) throw failure;
            diary.Add($"{entry.Offset} handled");
            return Task.CompletedTask;
        }

        public void Dispose() => diary.Add("ended");
    }

    /// <summary>Effects and position, as one database has them.</summary>
    private sealed class Ledger
    {
        public FeedPosition? Position { get; set; }

        public List<long> Effects { get; } = [];
    }

    private sealed class PageHandler(Ledger ledger, Diary diary) : IFeedPageHandler
    {
        public Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken) => Task.FromResult(ledger.Position);

        public Task HandleAsync(FeedPage page, CancellationToken cancellationToken)
        {
            Assert.Equal(ledger.Position, page.Position);
            ledger.Effects.AddRange(page.Entries.Select(entry => entry.Offset));
            ledger.Position = page.Next;
            if (page.Entries.Count > 0) diary.Add($"page to {page.Next.Offset}");
            return page.Entries.Select(diary.Failure).FirstOrDefault(failure => failure is not null) is { } failed ? throw failed : Task.CompletedTask;
        }
    }
}

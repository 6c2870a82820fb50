using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>Handlers and targets as an app adds them: from the container, each time from a scope of its own.</summary>
public sealed class Handlers_of_an_app
{
    [Fact]
    public async Task Come_from_a_scope_of_their_own_for_each_event_which_ends_with_it()
    {
        var (target, app) = Target(outpost => outpost.AddHandler<Counted, WithContext>("h", Soon));

        await target.DeliverAsync([Entry(0), Entry(1)], null, CancellationToken.None);

        Assert.Equal(["0 made", "0 saved 0", "0 ended", "1 made", "1 saved 1", "1 ended"], app.GetRequiredService<Diary>().Lines);
    }

    [Fact]
    public async Task End_their_scope_also_where_they_fail()
    {
        var (target, app) = Target(outpost => outpost.AddHandler<Counted, WithContext>("h", Soon));

        var delivery = await target.DeliverAsync([Entry(-1)], null, CancellationToken.None);

        Assert.True(Assert.IsType<Delivery.Failed>(delivery).IsTransient);
        Assert.Equal(["0 made", "0 ended"], app.GetRequiredService<Diary>().Lines);
    }

    [Fact]
    public async Task Have_a_bounded_time_for_each_call()
    {
        var (target, _) = Target(outpost => outpost.AddHandler<Counted, Endless>("h", Soon, options => options.Timeout = TimeSpan.FromMilliseconds(20)));

        var delivery = await target.DeliverAsync([Entry(0)], null, CancellationToken.None);

        Assert.IsType<TimeoutException>(Assert.IsType<Delivery.Failed>(delivery).Cause);
    }

    [Fact]
    public async Task Can_be_targets_that_come_from_a_scope_for_each_delivery()
    {
        var (target, app) = Target(outpost => outpost.AddTarget<ContextTarget>("t"));

        await target.DeliverAsync([Entry(0), Entry(1)], null, CancellationToken.None);
        await target.DeliverAsync([Entry(2)], null, CancellationToken.None);

        Assert.Equal(["0 made", "0 saved 0", "0 saved 1", "0 ended", "1 made", "1 saved 2", "1 ended"], app.GetRequiredService<Diary>().Lines);
    }

    [Fact]
    public void Have_their_own_within_and_the_app_s_start()
    {
        var services = new ServiceCollection();
        services.AddOutpostLog(options => (options.StartAt, options.Within, options.RefusalsInARow) = (StartAt.Head, TimeSpan.FromSeconds(9), 3))
            .AddHandler<Counted, Endless>("h", Soon).AddTarget<ContextTarget>("t").AddTarget("none", _ => null);
        using var app = services.BuildServiceProvider();

        var forwarders = app.GetRequiredService<IReadOnlyList<Forwarder>>();

        Assert.Equal(
            [("h", StartAt.Head, Soon, 3), ("t", StartAt.Head, TimeSpan.FromSeconds(9), 3)],
            forwarders.Select(forwarder => (forwarder.Name, forwarder.StartAt, forwarder.Within, forwarder.RefusalsInARow)));
    }

    public static TheoryData<string, Action<OutpostBuilder>> Mistakes => new()
    {
        { "name", outpost => outpost.AddHandler<Counted, Endless>("My Handler", Soon) },
        { "name", outpost => outpost.AddTarget("", _ => null) },
        { "already", outpost => outpost.AddHandler<Counted, Endless>("h", Soon).AddTarget("h", _ => null) },
        { "IEventHandler", outpost => outpost.AddHandler<Diary>("h", Soon) },
        { "AttemptsMax", outpost => outpost.AddHandler<Counted, Endless>("h", Soon, options => options.AttemptsMax = 0) },
        { "Timeout", outpost => outpost.AddHandler<Counted, Endless>("h", Soon, options => options.Timeout = TimeSpan.FromSeconds(11)) },
        { "Timeout", outpost => outpost.AddHandler<Counted, Endless>("h", Soon, options => options.Timeout = TimeSpan.Zero) },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Are_refused_with_what_is_wrong(string what, Action<OutpostBuilder> add) =>
        Assert.Contains(what, Assert.Throws<ArgumentException>(() => add(new ServiceCollection().AddOutpostLog())).Message, StringComparison.Ordinal);

    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    private static (IForwardTarget Target, IServiceProvider App) Target(Action<OutpostBuilder> add)
    {
        var services = new ServiceCollection();
        services.AddSingleton<Diary>().AddScoped<Context>();
        add(services.AddOutpostLog());
        // As an app does it in development: what has a scope never comes without one.
        var app = services.BuildServiceProvider(validateScopes: true);
        return (app.GetRequiredService<IReadOnlyList<Forwarder>>().Single().Target, app);
    }

    private static EventEntry Entry(int offset) => new(
        new EventId("k3v9x2ab", 0, Math.Max(offset, 0)), "Counted", "application/json", Encoding.UTF8.GetBytes($$"""{"step":"{{offset}}"}"""), DateTimeOffset.UnixEpoch, "tally/a", 1, null, null);

    public sealed class Diary
    {
        private int _contexts;

        public List<string> Lines { get; } = [];

        public int Next() => _contexts++;
    }

    // As a DbContext: one for each scope, not to be shared.
    public sealed class Context : IDisposable
    {
        private readonly Diary _diary;
        private readonly int _number;

        public Context(Diary diary)
        {
            (_diary, _number) = (diary, diary.Next());
            diary.Lines.Add($"{_number} made");
        }

        public void Save(string what) => _diary.Lines.Add($"{_number} saved {what}");

        public void Dispose() => _diary.Lines.Add($"{_number} ended");
    }

    public sealed class WithContext(Context context) : IEventHandler<Counted>
    {
        public Task HandleAsync(Counted payload, EventEntry entry, CancellationToken cancellationToken)
        {
            if (payload.Step == "-1") throw new InvalidOperationException("a bug");
            context.Save(payload.Step);
            return Task.CompletedTask;
        }
    }

    public sealed class Endless : IEventHandler<Counted>
    {
        public Task HandleAsync(Counted payload, EventEntry entry, CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public sealed class ContextTarget(Context context) : IForwardTarget
    {
        public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
        {
            foreach (var entry in entries) context.Save($"{entry.Offset}");
            return Task.FromResult<Delivery>(new Delivery.Accepted(entries.Count));
        }
    }
}

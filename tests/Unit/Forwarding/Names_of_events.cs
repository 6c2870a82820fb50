using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>What is stored outlives the class that it was made of.</summary>
public sealed class Names_of_events
{
    [Fact]
    public void Are_those_of_their_classes_unless_declared()
    {
        Assert.Equal("Plain", EventName.Of(typeof(Plain)));
        Assert.Equal("Moved", EventName.Of(typeof(WasRenamed)));
        Assert.Equal("Counted.v3", EventName.Of(typeof(CountedV3)));
    }

    [Theory]
    [InlineData(typeof(Nameless))]
    [InlineData(typeof(VersionZero))]
    [InlineData(typeof(BadAlias))]
    public void Are_refused_where_they_cannot_be_stored(Type type) =>
        Assert.Throws<ArgumentException>(() => Outpost(services => services.AddEvents(type)));

    [Fact]
    public void Belong_to_one_class_each()
    {
        var refused = Assert.Throws<ArgumentException>(() => Outpost(outpost => outpost.AddEvents(typeof(WasRenamed), typeof(AlsoMoved))));

        Assert.Contains("'Moved' belongs to", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Outpost(outpost => outpost.AddHandler<WasRenamed, Everything>("a", Soon).AddHandler<AlsoMoved, Everything>("b", Soon)));
    }

    // Before names were declared, a renamed class left its stored events to nobody, and nobody was told.
    [Fact]
    public async Task Of_a_renamed_class_are_still_its_own()
    {
        var (target, handled) = Target(outpost => outpost.AddHandler<WasRenamed, Everything>("h", Soon));

        await target.DeliverAsync([Entry(0, "Moved"), Entry(1, "Transferred"), Entry(2, "WasRenamed")], null, CancellationToken.None);

        Assert.Equal(["WasRenamed 0", "WasRenamed 1"], handled);
    }

    [Fact]
    public async Task Of_older_versions_lead_to_handlers_of_newer_ones_by_upcasts()
    {
        var (target, handled) = Target(outpost => outpost
            .AddHandler<CountedV3, Everything>("h", Soon)
            .AddUpcast<CountedV1, CountedV2>(old => new CountedV2(old.N, 10))
            .AddUpcast<CountedV2, CountedV3>(old => new CountedV3(old.N + old.More)));

        await target.DeliverAsync([Entry(1, "Counted"), Entry(2, "Counted.v2", """{"n":2,"more":5}"""), Entry(3, "Counted.v3")], null, CancellationToken.None);

        Assert.Equal(["CountedV3 11", "CountedV3 7", "CountedV3 3"], handled);
    }

    [Fact]
    public void Never_lead_in_a_circle() =>
        Assert.Throws<ArgumentException>(() => Outpost(outpost => outpost
            .AddUpcast<CountedV1, CountedV2>(old => new CountedV2(old.N, 0)).AddUpcast<CountedV2, CountedV1>(old => new CountedV1(old.N))));

    [Fact]
    public async Task That_nobody_knows_are_passed_over_where_the_app_does_not_say_that_it_knows_all()
    {
        var (target, handled) = Target(outpost => outpost.AddHandler<WasRenamed, Everything>("h", Soon));

        var delivery = await target.DeliverAsync([Entry(0, "Other"), Entry(1, "Moved")], null, CancellationToken.None);

        Assert.Equal(new Delivery.Accepted(2), delivery);
        Assert.Equal(["WasRenamed 1"], handled);
    }

    // A newer version of the app may know it and take the partition over meanwhile.
    [Fact]
    public async Task That_nobody_knows_wait_and_are_parked_in_the_end_where_the_app_says_that_it_knows_all()
    {
        var (target, handled) = Target(outpost => outpost.AddHandler<WasRenamed, Everything>("h", Soon).AddEvents(typeof(Plain)));

        Assert.Equal(new Delivery.Accepted(1), await target.DeliverAsync([Entry(0, "Moved"), Entry(1, "Renamed")], null, CancellationToken.None));
        Assert.Equal(new Delivery.Accepted(1) { IsPassedOver = true }, await target.DeliverAsync([Entry(0, "Plain"), Entry(1, "Renamed")], null, CancellationToken.None));
        for (var attempt = 3; attempt < 5; attempt++)
            Assert.True(Assert.IsType<Delivery.Failed>(await target.DeliverAsync([Entry(1, "Renamed")], null, CancellationToken.None)) is { IsTransient: true }, $"{attempt}");
        var refused = Assert.IsType<Delivery.Refused>(await target.DeliverAsync([Entry(1, "Renamed")], null, CancellationToken.None));

        Assert.Contains("No event of this app is stored as 'Renamed'", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(["WasRenamed 0"], handled);
    }

    [Fact]
    public async Task Are_those_that_decisions_record()
    {
        await using var log = new SimulatedLog();
        await log.DoAsync(Tallies.Count("t", "s") with { Entity = new EntityType<Tally>("tally"), Decide = _ => Decision.Accept(new Tally(1, []), new Labelled("a"), new NewEvent("Raw", "text/plain", "x"u8.ToArray())) });

        var entries = await log.EntriesAsync();

        Assert.Equal([("label", """{"text":"a"}"""), ("Raw", "x")], entries.Select(entry => (entry.Type, Encoding.UTF8.GetString(entry.Payload.Span))));
    }

    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    private static ServiceProvider Outpost(Action<OutpostBuilder> add)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new List<string>());
        add(services.AddOutpostLog());
        return services.BuildServiceProvider();
    }

    private static (IForwardTarget Target, List<string> Handled) Target(Action<OutpostBuilder> add)
    {
        var app = Outpost(add);
        return (app.GetRequiredService<IReadOnlyList<Forwarder>>().Single().Target, app.GetRequiredService<List<string>>());
    }

    private static EventEntry Entry(int offset, string type, string? json = null) => new(
        new EventId("k3v9x2ab", 0, offset), type, "application/json", Encoding.UTF8.GetBytes(json ?? $$"""{"n":{{offset}}}"""), DateTimeOffset.UnixEpoch, "tally/a", 1, null, null);

    public sealed record Plain(int N);

    [EventName("Moved", Aliases = ["Transferred"])]
    public sealed record WasRenamed(int N);

    [EventName("Moved")]
    public sealed record AlsoMoved(int N);

    [EventName("Counted")]
    public sealed record CountedV1(int N);

    [EventName("Counted", Version = 2)]
    public sealed record CountedV2(int N, int More);

    [EventName("Counted", Version = 3)]
    public sealed record CountedV3(int N);

    [EventName("")]
    public sealed record Nameless(int N);

    [EventName("Zero", Version = 0)]
    public sealed record VersionZero(int N);

    [EventName("Fine", Aliases = [""])]
    public sealed record BadAlias(int N);

    public sealed class Everything(List<string> handled) : IEventHandler<WasRenamed>, IEventHandler<AlsoMoved>, IEventHandler<CountedV3>
    {
        public Task HandleAsync(WasRenamed payload, EventEntry entry, CancellationToken cancellationToken) => Note($"WasRenamed {payload.N}");

        public Task HandleAsync(AlsoMoved payload, EventEntry entry, CancellationToken cancellationToken) => Note($"AlsoMoved {payload.N}");

        public Task HandleAsync(CountedV3 payload, EventEntry entry, CancellationToken cancellationToken) => Note($"CountedV3 {payload.N}");

        private Task Note(string text)
        {
            handled.Add(text);
            return Task.CompletedTask;
        }
    }
}

[EventName("label")]
public sealed record Labelled(string Text);

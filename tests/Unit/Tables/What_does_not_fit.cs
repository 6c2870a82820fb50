using static Outpost.Tests.Unit.Tables.Changes;

namespace Outpost.Tests.Unit.Tables;

public sealed class What_does_not_fit
{
    [Theory]
    [InlineData(0)]
    [InlineData(98)]
    [InlineData(1000)]
    public void Is_refused_when_it_is_the_number_of_events(int events) =>
        Assert.Contains($"{events} events", Assert.Throws<TooLargeException>(() => Pending(Of("a", events))).Message, StringComparison.Ordinal);

    [Fact]
    public void Is_refused_when_it_is_one_payload()
    {
        Assert.Equal(15 * 64 * 1024, Pending(Of("a", payloadBytes: 15 * 64 * 1024)).Change.Events[0].Payload.Length);
        Assert.Contains("a-0", Assert.Throws<TooLargeException>(() => Pending(Of("a", payloadBytes: (15 * 64 * 1024) + 1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Is_refused_when_it_is_the_state() =>
        Assert.Contains(
            "state",
            Assert.Throws<TooLargeException>(() => Pending(Of("a") with { State = new byte[(15 * 64 * 1024) + 1] })).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Is_refused_when_it_is_all_together() =>
        Assert.Contains(
            "one transaction",
            Assert.Throws<TooLargeException>(() => Pending(Of("a", events: 3, payloadBytes: 900_000))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Is_refused_when_it_is_the_entity_s_id() =>
        Assert.Throws<TooLargeException>(() => Pending(Of(new string('a', 401))));

    // The largest there is, as the service sees it: the entity limit is 1 MiB, and the names count too.
    [Fact]
    public async Task Is_not_an_event_with_the_largest_payload_and_the_longest_of_everything_else()
    {
        var longest = new string('x', Limits.HeaderCharactersMax);
        var change = Of(new string('i', 390), key: "k", version: 1) with
        {
            Events = [new NewEvent(longest, $"application/{longest[12..]}", new byte[Limits.PayloadBytesMax])],
            TraceParent = longest,
            CorrelationId = longest,
        };
        var rows = Rows(Head(next: 5), "0123456789abcdef0123456789abcdef", change);
        var table = new SimulatedTable(new HastyTime());

        foreach (var action in rows.Actions) await table.AddEntityAsync((Azure.Data.Tables.TableEntity)action.Entity);
    }
}

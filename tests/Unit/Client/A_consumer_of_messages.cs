using Outpost.Client;

namespace Outpost.Tests.Unit.Client;

public sealed class A_consumer_of_messages
{
    private static readonly TimeSpan LongerThanAPause = TimeSpan.FromSeconds(31);

    private readonly List<EventMessage> _handled = [];
    private Func<int, Exception?> _fault = _ => null;
    private int _tries;

    [Fact]
    public async Task Makes_a_dead_letter_of_what_fails_ten_times_and_says_why()
    {
        _fault = _ => new InvalidOperationException("No such customer.");

        Assert.Equal("Failed 10 times: InvalidOperationException: No such customer.", await HandleAsync());
        Assert.Equal(10, _tries);
    }

    [Fact]
    public async Task Does_not_count_what_may_pass()
    {
        _fault = tries => tries <= 25 ? new IOException("The store is away.") : null;

        Assert.Null(await HandleAsync());
        Assert.Equal((26, 1), (_tries, _handled.Count));
    }

    [Fact]
    public async Task Makes_a_dead_letter_of_poison_at_once()
    {
        _fault = _ => new PoisonMessageException("The total is negative.");

        Assert.Equal("The total is negative.", await HandleAsync());
        Assert.Equal(1, _tries);
    }

    [Fact]
    public async Task Sets_nothing_aside_where_the_order_counts_more()
    {
        _fault = tries => tries <= 25 ? new PoisonMessageException("Not yet.") : null;

        Assert.Null(await HandleAsync(new MessageConsumerOptions { Attempts = null, Timeout = 2 * LongerThanAPause }));
    }

    [Fact]
    public async Task Reads_a_large_payload_from_the_app_of_the_events_only()
    {
        var reason = await HandleAsync(new MessageConsumerOptions { Timeout = 2 * LongerThanAPause, Address = new Uri("https://orders.example/") }, dataref: "https://orders.example.evil/api/events/1/data");

        Assert.Equal("The payload is at https://orders.example.evil/api/events/1/data, not below https://orders.example/.", reason);
        Assert.Empty(_handled);
    }

    [Theory]
    [InlineData("id", "o-1", "The attribute 'id' is 'o-1'; an event id such as k3v9x2ab-0000-0000000000000000041 is wanted.")]
    [InlineData("time", "today", "The attribute 'time' is 'today'; a time of RFC 3339 is wanted.")]
    [InlineData("subject", null, "The attribute 'subject' is missing.")]
    [InlineData("dataref", "somewhere", "The attribute 'dataref' is 'somewhere'; an absolute URL is wanted.")]
    public async Task Makes_a_dead_letter_of_what_is_no_event(string attribute, string? value, string why) =>
        Assert.Equal($"This is no event of Outpost: {why}", await Consumer(new MessageConsumerOptions()).HandleAsync(
            () => EventMessage.Read(name => name == attribute ? value : Attribute(name), null, null, default), CancellationToken.None));

    [Fact]
    public async Task Knows_a_replay_by_a_key_of_its_own()
    {
        await HandleAsync();
        await HandleAsync(replay: "r1");

        Assert.Equal(["k3v9x2ab-0000-0000000000000000041", "k3v9x2ab-0000-0000000000000000041~r1"], _handled.Select(message => message.Key));
    }

    [Theory]
    [InlineData(0, 30, "Attempts is 0; allowed: 1 or more, or null.")]
    [InlineData(1, 0, "Timeout is 00:00:00; allowed: more than 0, up to ten minutes.")]
    public void Says_which_option_is_wrong(int attempts, int seconds, string why) => Assert.StartsWith(
        why, Assert.Throws<ArgumentException>(() => Consumer(new MessageConsumerOptions { Attempts = attempts, Timeout = TimeSpan.FromSeconds(seconds) })).Message);

    private static string? Attribute(string name) => name switch
    {
        "id" => "k3v9x2ab-0000-0000000000000000041",
        "time" => "2026-11-22T08:00:00.1234567Z",
        "type" => "OrderPlaced",
        "subject" => "order/o-1",
        _ => null,
    };

    private Task<string?> HandleAsync(MessageConsumerOptions? options = null, string? replay = null, string? dataref = null) =>
        Consumer(options ?? new MessageConsumerOptions { Timeout = 2 * LongerThanAPause }).HandleAsync(
            () => EventMessage.Read(name => name == "dataref" ? dataref : Attribute(name), replay, "application/json", "{}"u8.ToArray()), CancellationToken.None);

    private MessageConsumer Consumer(MessageConsumerOptions options) => new(new Nothing(), (message, _) =>
    {
        if (_fault(++_tries) is { } fault) throw fault;
        _handled.Add(message);
        return Task.CompletedTask;
    }, options, new HastyTime(LongerThanAPause), new Random(1));

    private sealed class Nothing : IMessageSource
    {
        public Task RunAsync(MessageConsumer consumer, CancellationToken stopping) => Task.CompletedTask;

        public Task<(int Done, int Left)> RetryDeadLettersAsync(MessageConsumer consumer, CancellationToken cancellationToken) => Task.FromResult((0, 0));
    }
}

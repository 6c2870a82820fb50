namespace Outpost.Client;

/// <summary>How a reader reads.</summary>
public sealed record FeedReaderOptions
{
    /// <summary>The most entries of a page, 1 to 1000. Default 100.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>
    /// How long the server holds a request open until an entry comes: whole seconds, 0 to 25. Default 20 s. A waiting
    /// request costs a connection, and on a consumption plan you pay for the time that it waits.
    /// </summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long to pause after an empty page. Default none. Must be more than 0 where <see cref="Wait"/> is 0.</summary>
    public TimeSpan PollInterval { get; init; }

    /// <summary>
    /// The event types to read. Default empty: all. The server looks through the others, so the position moves past
    /// them.
    /// </summary>
    public IReadOnlyCollection<string> Types { get; init; } = [];

    /// <summary>
    /// Where a reader without a stored position starts. True: after the last entry that there is now. Default false: at
    /// the oldest entry that is still there.
    /// </summary>
    public bool StartsAtHead { get; init; }

    /// <summary>
    /// Whether to store the position after each entry rather than after each page. Default false: storing costs little,
    /// and a crash repeats up to a page. After a failed handler and an orderly stop, the position of what was handled
    /// is stored in either case.
    /// </summary>
    public bool StoreEachEntry { get; init; }

    /// <summary>
    /// How long a request may take beyond <see cref="Wait"/>, its body included. Default 30 s. The HttpClient's own
    /// timeout (100 s unless set) holds as well.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Called for every failure that is tried again, from several threads. It must not throw. Default: none.</summary>
    public Action<FeedFault>? OnError { get; init; }

    internal void Validate()
    {
        if (Limit is < 1 or > 1000) throw Bad(nameof(Limit), Limit, "1 to 1000");
        if (Wait < TimeSpan.Zero || Wait > TimeSpan.FromSeconds(25) || Wait.Ticks % TimeSpan.TicksPerSecond != 0)
            throw Bad(nameof(Wait), Wait, "whole seconds from 0 to 25");
        if (PollInterval < TimeSpan.Zero || (PollInterval == TimeSpan.Zero && Wait == TimeSpan.Zero))
            throw Bad(nameof(PollInterval), PollInterval, "0 or more, and more than 0 where Wait is 0");
        if (RequestTimeout <= TimeSpan.Zero) throw Bad(nameof(RequestTimeout), RequestTimeout, "more than 0");
        if (Types.Any(type => type.Length == 0 || type.Contains(',', StringComparison.Ordinal)))
            throw Bad(nameof(Types), string.Join(" ", Types), "event types without commas");
    }

    private static ArgumentException Bad(string option, object value, string allowed) =>
        new($"{option} is {value}; allowed: {allowed}.", option);
}

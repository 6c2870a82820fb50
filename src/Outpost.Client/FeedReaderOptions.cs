namespace Outpost.Client;

/// <summary>How a reader reads.</summary>
public sealed record FeedReaderOptions
{
    /// <summary>Most entries of a page, 1 to 1000. Default 100.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>
    /// How long the server holds a request open until an entry comes: whole seconds, 0 to 25. Default 20 s. A waiting
    /// request costs a connection, and on a consumption plan the time it waits.
    /// </summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long to pause after an empty page. Default none; needed where <see cref="Wait"/> is 0.</summary>
    public TimeSpan PollInterval { get; init; }

    /// <summary>Only these event types. Default empty: all. The server looks through the others, so the position moves past them.</summary>
    public IReadOnlyCollection<string> Types { get; init; } = [];

    /// <summary>
    /// Whether a reader that has no position stored starts after the last entry there is now. Default false: it starts at the
    /// oldest entry that is still there.
    /// </summary>
    public bool StartsAtHead { get; init; }

    /// <summary>
    /// Whether the position is stored after each entry rather than after each page. Default false: a crash repeats up to
    /// a page, and storing costs little. A failing handler and an orderly stop store what was handled in either case.
    /// </summary>
    public bool StoreEachEntry { get; init; }

    /// <summary>
    /// How long a request may take beyond <see cref="Wait"/>, its body included. Default 30 s. The HttpClient's own
    /// timeout (100 s unless set) holds as well.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Told of everything that goes wrong and is tried again. Called from several threads; must not throw. Default: nobody.</summary>
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

using System.Data.Common;
using System.Net.Sockets;

namespace Outpost.Client;

/// <summary>How messages are handled.</summary>
public sealed class MessageConsumerOptions
{
    /// <summary>
    /// After so many tries a message becomes a dead letter, and later ones of its subject go on. What may pass (<see cref="IsTransient"/>) does
    /// not count. Null: it is tried for as long as it takes, whatever it throws, and what follows it waits. Default 10.
    /// </summary>
    public int? Attempts { get; set; } = 10;

    /// <summary>A try that takes longer has failed, in the way that passes. More than 0, up to ten minutes. Default 30 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Exceptions that say nothing of the message, such as those of a store that is away: they make no dead letter. In addition to
    /// timeouts, broken connections, answers of 408, 429 and 5xx, and what a database calls transient.
    /// </summary>
    public Func<Exception, bool> IsTransient { get; set; } = _ => false;

    /// <summary>The app that the events come from, such as <c>https://orders.example/</c>: payloads too large for a broker are read there, and nowhere else.</summary>
    public Uri? Address { get; set; }

    /// <summary>Sent as <c>x-functions-key</c> to read them; null: none is.</summary>
    public string? Key { get; set; }

    /// <summary>Told of each try that failed; beside the log.</summary>
    public Action<Exception>? OnError { get; set; }

    /// <summary>What is wrong with it; null: nothing.</summary>
    internal string? Problem() =>
        Attempts is < 1 ? $"Attempts is {Attempts}; allowed: 1 or more, or null."
        : Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(10) ? $"Timeout is {Timeout}; allowed: more than 0, up to ten minutes."
        : Address is not (null or { IsAbsoluteUri: true, Scheme: "http" or "https" }) ? $"Address is '{Address}'; allowed: an http or https URL such as https://orders.example/."
        : null;

    internal bool Passes(Exception e) => IsTransient(e) || e switch
    {
        HttpRequestException { StatusCode: { } status } => (int)status is 408 or 429 or >= 500,
        HttpRequestException or IOException or TimeoutException or SocketException or OperationCanceledException => true,
        DbException database => database.IsTransient,
        _ => false,
    };
}

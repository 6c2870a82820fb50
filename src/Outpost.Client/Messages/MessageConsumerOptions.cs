using System.Data.Common;
using System.Net.Sockets;

namespace Outpost.Client;

/// <summary>How messages are handled.</summary>
public sealed class MessageConsumerOptions
{
    /// <summary>
    /// How many failed tries make a message a dead letter, after which later ones of its subject go on. What may pass
    /// (<see cref="IsTransient"/>) does not count. Null: every message is tried for as long as it takes, whatever the
    /// handler throws, and later ones of its subject wait. Default 10.
    /// </summary>
    public int? Attempts { get; set; } = 10;

    /// <summary>
    /// How long a try may take. More than 0, up to ten minutes. Default 30 seconds. A longer one fails as what may pass
    /// does.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Names further exceptions that may pass and say nothing about the message, such as those of a store that is down.
    /// They make no dead letter. Timeouts, broken connections, answers of 408, 429 and 5xx, and what a database calls
    /// transient always count as such. Default: no others.
    /// </summary>
    public Func<Exception, bool> IsTransient { get; set; } = _ => false;

    /// <summary>
    /// The app that the events come from, such as <c>https://orders.example/</c>. Payloads too large for a broker are
    /// read from there and from nowhere else. Default null: such messages wait until it is set.
    /// </summary>
    public Uri? Address { get; set; }

    /// <summary>The key for reading those payloads, sent as <c>x-functions-key</c>. Default null: none is sent.</summary>
    public string? Key { get; set; }

    /// <summary>Called for each try that failed, in addition to the log. Default: none.</summary>
    public Action<Exception>? OnError { get; set; }

    /// <summary>What is wrong with these options; null: nothing.</summary>
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

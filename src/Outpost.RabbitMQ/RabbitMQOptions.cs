using Microsoft.Extensions.Configuration;
using RabbitMQ.Client;

namespace Outpost.RabbitMQ;

/// <summary>Says to which exchange or stream of which RabbitMQ server entries go.</summary>
public sealed class RabbitMQOptions
{
    /// <summary>
    /// Address of the server: <c>amqp://user:password@host:port/vhost</c>, or <c>amqps://…</c> for TLS. Required.
    /// </summary>
    public Uri? Uri { get; set; }

    /// <summary>
    /// Name of the exchange, created as a durable topic exchange where it is missing. Not used with a
    /// <see cref="Stream"/>. Default <c>events</c>.
    /// </summary>
    public string Exchange { get; set; } = "events";

    /// <summary>Name of a stream to use in place of an exchange, created where it is missing. Default null: none.</summary>
    public string? Stream { get; set; }

    /// <summary>What the routing key of a message is. Not used with a <see cref="Stream"/>. Default: the event type.</summary>
    public RoutingKey RoutingKey { get; set; }

    /// <summary>CloudEvents source of every message. Default <c>/outpost</c>.</summary>
    internal string Source { get; set; } = "/outpost";

    /// <summary>Base URL in references to payloads too large for the broker.</summary>
    internal string PublicUrl { get; set; } = "http://localhost:7071";

    /// <summary>How long payloads are kept, and so how long a reference in a queue is of use. Null: for ever.</summary>
    internal TimeSpan? PayloadsKeptFor { get; set; }

    /// <summary>Reads the settings into these options.</summary>
    /// <exception cref="InvalidSettingException">A setting is missing or has a value that is not allowed.</exception>
    internal void Read(IConfiguration configuration, OutpostOptions outpost)
    {
        var read = new SettingReader(configuration);
        (Source, PublicUrl, PayloadsKeptFor) = (outpost.Source, outpost.BaseUrl, outpost.EventsAtLeast);
        if (!read.AllowOnly(Group, "Uri", "Exchange", "Stream", "RoutingKey")) return;
        var stream = read.OptionalText($"{Group}__Stream");
        if (stream is not null && read.OptionalText($"{Group}__Exchange") is not null)
            throw new InvalidSettingException($"{Group}__Stream: is not allowed beside {Group}__Exchange; set one of them.");
        Uri = Address($"{Group}__Uri", read);
        Exchange = read.Text($"{Group}__Exchange", "events", "1 to 127 letters, digits and . - _ : /", IsName);
        Stream = stream is null ? null : read.Text($"{Group}__Stream", stream, "1 to 127 letters, digits and . - _ : /", IsName);
        RoutingKey = read.Text($"{Group}__RoutingKey", "type", "type, subject or partition", value => value is "type" or "subject" or "partition") switch
        {
            "subject" => RoutingKey.Subject,
            "partition" => RoutingKey.Partition,
            _ => RoutingKey.Type,
        };
    }

    private const string Group = "Targets__RabbitMQ";

    // The address holds a password, and so may the client's message about it. The error shows neither.
    private static Uri Address(string name, SettingReader read)
    {
        var text = read.OptionalText(name) ?? throw new InvalidSettingException($"{name}: is missing; amqps://USER:PASSWORD@HOST/VHOST is needed.");
        try
        {
            var uri = new Uri(text);
            if (uri.Host.Length == 0) throw new UriFormatException();
            new RabbitMQOptions { Uri = uri }.CreateFactory();
            return uri;
        }
        catch (Exception e) when (e is UriFormatException or ArgumentException)
        {
            throw new InvalidSettingException($"{name}: this is no address (it is not shown, it may hold a password); amqps://USER:PASSWORD@HOST/VHOST is allowed, or amqp://… without TLS.");
        }
    }

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 127 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '/');

    /// <summary>
    /// A client that soon notices when the broker is gone. It leaves opening another connection to the forwarder.
    /// </summary>
    internal ConnectionFactory CreateFactory() => new()
    {
        Uri = Uri ?? throw new InvalidOperationException($"{nameof(Uri)} is missing."),
        ClientProvidedName = "outpost",
        // The forwarder opens another connection and publishes again what was published on a broken one.
        AutomaticRecoveryEnabled = false,
        TopologyRecoveryEnabled = false,
        RequestedConnectionTimeout = Channels.OpenMax,
        HandshakeContinuationTimeout = Channels.OpenMax,
        ContinuationTimeout = Channels.OpenMax,
        RequestedHeartbeat = TimeSpan.FromSeconds(10),
    };
}

/// <summary>What the routing key of a message is.</summary>
public enum RoutingKey
{
    /// <summary>The event type. Consumers bind the types that they want.</summary>
    Type,

    /// <summary>The subject. An exchange that hashes the key keeps each subject in one queue.</summary>
    Subject,

    /// <summary>The partition's number, which is how the partitions of a super stream are bound.</summary>
    Partition,
}

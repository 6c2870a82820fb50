using RabbitMQ.Client;

namespace Outpost.RabbitMQ;

/// <summary>Where entries go.</summary>
public sealed record RabbitMQOptions
{
    /// <summary><c>amqp://user:password@host:port/vhost</c>, or <c>amqps://…</c> for TLS.</summary>
    public required Uri Uri { get; init; }

    /// <summary>Exchange, made as a durable topic exchange where there is none. Not used with a <see cref="Stream"/>. Default <c>events</c>.</summary>
    public string Exchange { get; init; } = "events";

    /// <summary>A stream in place of an exchange, made where there is none. Default: none.</summary>
    public string? Stream { get; init; }

    /// <summary>What messages are routed by. Not used with a <see cref="Stream"/>. Default: the event type.</summary>
    public RoutingKey RoutingKey { get; init; }

    /// <summary>CloudEvents source of every message. Default <c>/outpost</c>.</summary>
    public string Source { get; init; } = "/outpost";

    /// <summary>Base URL in references to payloads too large for the broker.</summary>
    public string PublicUrl { get; init; } = "http://localhost:7071";

    /// <summary>How long payloads are retained, and so how old an entry may be that a reference in a queue leads to. Null: for ever.</summary>
    public TimeSpan? PayloadsKeptFor { get; init; }

    /// <summary>A client that notices soon when the broker is gone, and leaves opening another connection to the forwarder.</summary>
    public ConnectionFactory CreateFactory() => new()
    {
        Uri = Uri,
        ClientProvidedName = "outpost",
        // What was published on a connection that broke is published again by the forwarder, and so is the connection opened.
        AutomaticRecoveryEnabled = false,
        TopologyRecoveryEnabled = false,
        RequestedConnectionTimeout = Channels.OpenMax,
        HandshakeContinuationTimeout = Channels.OpenMax,
        ContinuationTimeout = Channels.OpenMax,
        RequestedHeartbeat = TimeSpan.FromSeconds(10),
    };
}

/// <summary>What messages are routed by.</summary>
public enum RoutingKey
{
    /// <summary>The event type: consumers bind the types that they want.</summary>
    Type,

    /// <summary>The subject: an exchange that hashes the key keeps each subject in one queue.</summary>
    Subject,

    /// <summary>The partition's number, as the partitions of a super stream are bound.</summary>
    Partition,
}

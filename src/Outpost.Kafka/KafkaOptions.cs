using Azure.Core;
using Confluent.Kafka;

namespace Outpost.Kafka;

/// <summary>Where entries go.</summary>
public sealed partial class KafkaOptions
{
    /// <summary><c>host:port</c>, or several with commas; or else <see cref="FullyQualifiedNamespace"/>.</summary>
    public string? BootstrapServers { get; set; }

    /// <summary>Host name of an Event Hubs namespace, used with <see cref="Credential"/>.</summary>
    public string? FullyQualifiedNamespace { get; set; }

    /// <summary>Managed identity or another token credential, for Event Hubs.</summary>
    public TokenCredential? Credential { get; set; }

    /// <summary>Topic, or event hub. Default <c>events</c>.</summary>
    public string Topic { get; set; } = "events";

    /// <summary>TLS and SASL of <see cref="BootstrapServers"/>. Default: neither.</summary>
    public SecurityProtocol SecurityProtocol { get; set; }

    /// <summary>How <see cref="UserName"/> and <see cref="Password"/> are shown to the broker. Default: plain.</summary>
    public SaslMechanism SaslMechanism { get; set; } = SaslMechanism.Plain;

    /// <summary>SASL user name.</summary>
    public string? UserName { get; set; }

    /// <summary>SASL password.</summary>
    public string? Password { get; set; }

    /// <summary>File with the certificates that brokers' are checked against. Null: the system's.</summary>
    public string? CertificateAuthorities { get; set; }

    /// <summary>CloudEvents source of every message. Default <c>/outpost</c>.</summary>
    internal string Source { get; set; } = "/outpost";

    /// <summary>Base URL in references to payloads too large for the broker.</summary>
    internal string PublicUrl { get; set; } = "http://localhost:7071";

    /// <summary>The producer's configuration: in order, and with an answer soon.</summary>
    internal ProducerConfig CreateConfig()
    {
        var config = new ProducerConfig
        {
            ClientId = "outpost",
            BootstrapServers = FullyQualifiedNamespace is { } ns ? $"{ns}:9093" : BootstrapServers,
            EnableIdempotence = true,
            Acks = Acks.All,
            // As Java's clients do it: every producer of the topic puts a subject into the same partition.
            Partitioner = Partitioner.Murmur2Random,
            LingerMs = 1,
            // Less than a topic takes unless told (1 MiB), with what a batch has beside its messages.
            BatchSize = 512 * 1024,
            // The forwarder repeats by itself. A message is answered for before a delivery ends, and a connection without
            // an answer is replaced before that.
            // The client looks for what has timed out once a second.
            MessageTimeoutMs = 4500,
            RequestTimeoutMs = 2000,
            SocketTimeoutMs = 2200,
            SocketConnectionSetupTimeoutMs = 2000,
            // A broker that is back is found within a second, and a topic that is missing is said to be.
            ReconnectBackoffMs = 100,
            ReconnectBackoffMaxMs = 1000,
            RetryBackoffMs = 100,
            RetryBackoffMaxMs = 1000,
            TopicMetadataPropagationMaxMs = 2000,
            // Azure drops what is idle for four minutes.
            SocketKeepaliveEnable = true,
            ConnectionsMaxIdleMs = 180_000,
            MetadataMaxAgeMs = 180_000,
            SslCaLocation = CertificateAuthorities,
        };
        if (FullyQualifiedNamespace is not null)
        {
            config.SecurityProtocol = SecurityProtocol.SaslSsl;
            config.SaslMechanism = SaslMechanism.OAuthBearer;
            return config;
        }

        config.SecurityProtocol = SecurityProtocol;
        if (UserName is not null)
        {
            config.SaslMechanism = SaslMechanism;
            (config.SaslUsername, config.SaslPassword) = (UserName, Password);
        }

        return config;
    }
}

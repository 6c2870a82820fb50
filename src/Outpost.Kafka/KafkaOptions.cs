using Azure.Core;
using Confluent.Kafka;

namespace Outpost.Kafka;

/// <summary>Says to which Kafka cluster or event hub entries go, and how to sign in.</summary>
public sealed partial class KafkaOptions
{
    /// <summary>
    /// Brokers as <c>host:port</c>, several separated by commas. Set this or
    /// <see cref="FullyQualifiedNamespace"/>.
    /// </summary>
    public string? BootstrapServers { get; set; }

    /// <summary>Host name of an Event Hubs namespace. It needs <see cref="Credential"/>.</summary>
    public string? FullyQualifiedNamespace { get; set; }

    /// <summary>Managed identity or another token credential, for Event Hubs.</summary>
    public TokenCredential? Credential { get; set; }

    /// <summary>Name of the topic or event hub. Default <c>events</c>.</summary>
    public string Topic { get; set; } = "events";

    /// <summary>Whether connections to <see cref="BootstrapServers"/> use TLS and SASL. Default: neither.</summary>
    public SecurityProtocol SecurityProtocol { get; set; }

    /// <summary>SASL mechanism for <see cref="UserName"/> and <see cref="Password"/>. Default: plain.</summary>
    public SaslMechanism SaslMechanism { get; set; } = SaslMechanism.Plain;

    /// <summary>SASL user name. Default null: no SASL.</summary>
    public string? UserName { get; set; }

    /// <summary>SASL password.</summary>
    public string? Password { get; set; }

    /// <summary>File of PEM certificates to check the brokers' certificates against. Default null: the system's.</summary>
    public string? CertificateAuthorities { get; set; }

    /// <summary>CloudEvents source of every message. Default <c>/outpost</c>.</summary>
    internal string Source { get; set; } = "/outpost";

    /// <summary>Base URL in references to payloads too large for the broker.</summary>
    internal string PublicUrl { get; set; } = "http://localhost:7071";

    /// <summary>The producer's configuration. It keeps messages in order and answers early.</summary>
    internal ProducerConfig CreateConfig()
    {
        var config = new ProducerConfig
        {
            ClientId = "outpost",
            BootstrapServers = FullyQualifiedNamespace is { } ns ? $"{ns}:9093" : BootstrapServers,
            EnableIdempotence = true,
            Acks = Acks.All,
            // The default of Java's clients, so that every producer of the topic puts a subject into the same partition.
            Partitioner = Partitioner.Murmur2Random,
            LingerMs = 1,
            // Less than a topic takes by default (1 MiB), to leave room for what a batch holds beside its messages.
            BatchSize = 512 * 1024,
            // In milliseconds. The forwarder retries by itself, so a message must be answered before a delivery ends,
            // and a connection that does not answer must be replaced before that. The client looks for timed-out
            // messages once a second.
            MessageTimeoutMs = 4500,
            RequestTimeoutMs = 2000,
            SocketTimeoutMs = 2200,
            SocketConnectionSetupTimeoutMs = 2000,
            // A broker that is back is found within a second, and a missing topic is reported soon.
            ReconnectBackoffMs = 100,
            ReconnectBackoffMaxMs = 1000,
            RetryBackoffMs = 100,
            RetryBackoffMaxMs = 1000,
            TopicMetadataPropagationMaxMs = 2000,
            // Azure drops connections that are idle for four minutes.
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

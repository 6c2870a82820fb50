using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;
using Outpost.Kafka;
using Outpost.RabbitMQ;

namespace Outpost.Functions;

/// <summary>Targets beside Service Bus, each where its settings are: a forwarder of its own.</summary>
internal static class Targets
{
    /// <summary>The forwarder that brings entries to RabbitMQ.</summary>
    public const string RabbitMQForwarder = "rabbitmq";

    /// <summary>The forwarder that brings entries to Kafka, or to Event Hubs.</summary>
    public const string KafkaForwarder = "kafka";

    private static readonly string[] RabbitMQNames = ["Uri", "Exchange", "Stream", "RoutingKey"];

    private static readonly string[] KafkaNames =
        ["BootstrapServers", "fullyQualifiedNamespace", "clientId", "Topic", "SecurityProtocol", "SaslMechanism", "UserName", "Password", "CertificateAuthorities"];

    /// <exception cref="InvalidSettingException">A setting is missing or has a value that is not allowed.</exception>
    public static void AddTargets(this IServiceCollection services, IConfiguration configuration, Settings settings)
    {
        var read = new Settings.SettingReader(configuration);
        read.AllowOnly("Targets", "RabbitMQ", "Kafka");
        if (RabbitMQ(read, settings) is { } rabbit)
        {
            services.AddSingleton(rabbit);
            services.AddSingleton<RabbitMQTarget>();
            services.AddSingleton(provider => Forwarder(RabbitMQForwarder, provider.GetRequiredService<RabbitMQTarget>(), settings));
        }

        if (Kafka(read, settings) is { } kafka)
        {
            services.AddSingleton(kafka);
            services.AddSingleton<KafkaTarget>();
            services.AddSingleton(provider => Forwarder(KafkaForwarder, provider.GetRequiredService<KafkaTarget>(), settings));
        }
    }

    /// <summary>Null: there are none.</summary>
    internal static RabbitMQOptions? RabbitMQ(Settings.SettingReader read, Settings settings)
    {
        const string Name = "Targets__RabbitMQ";
        if (!read.AllowOnly(Name, RabbitMQNames)) return null;
        var stream = read.OptionalText($"{Name}__Stream");
        if (stream is not null && read.OptionalText($"{Name}__Exchange") is not null)
            throw new InvalidSettingException($"{Name}__Stream: is not allowed beside {Name}__Exchange; set one of them.");
        var options = new RabbitMQOptions
        {
            Uri = Address($"{Name}__Uri", read),
            Exchange = read.Text($"{Name}__Exchange", "events", "1 to 127 letters, digits and . - _ : /", IsName),
            Stream = stream is null ? null : read.Text($"{Name}__Stream", stream, "1 to 127 letters, digits and . - _ : /", IsName),
            RoutingKey = read.Text($"{Name}__RoutingKey", "type", "type, subject or partition", value => value is "type" or "subject" or "partition") switch
            {
                "subject" => RoutingKey.Subject,
                "partition" => RoutingKey.Partition,
                _ => RoutingKey.Type,
            },
            Source = settings.Source,
            PublicUrl = settings.PublicUrl,
            PayloadsKeptFor = settings.Retention.EventsAtLeast,
        };
        return options;
    }

    /// <summary>Null: there are none.</summary>
    internal static KafkaOptions? Kafka(Settings.SettingReader read, Settings settings)
    {
        const string Name = "Targets__Kafka";
        if (!read.AllowOnly(Name, KafkaNames)) return null;
        var (servers, ns) = (read.OptionalText($"{Name}__BootstrapServers"), read.OptionalText($"{Name}__fullyQualifiedNamespace"));
        var user = read.OptionalText($"{Name}__UserName");
        if (servers is null == ns is null)
            throw new InvalidSettingException($"{Name}__BootstrapServers: one of it and {Name}__fullyQualifiedNamespace (Event Hubs, by identity) is needed, and only one.");
        if (ns is not null && KafkaNames[4..].FirstOrDefault(name => read.OptionalText($"{Name}__{name}") is not null) is { } other)
            throw new InvalidSettingException($"{Name}__{other}: is not allowed beside {Name}__fullyQualifiedNamespace, which goes by identity.");
        if (user is null != read.OptionalText($"{Name}__Password") is null)
            throw new InvalidSettingException($"{Name}__Password: is needed with {Name}__UserName, and only with it.");
        return new KafkaOptions
        {
            BootstrapServers = servers is null ? null : read.Text($"{Name}__BootstrapServers", servers, "HOST:PORT, or several with commas", AreServers),
            FullyQualifiedNamespace = ns is null ? null : read.Text($"{Name}__fullyQualifiedNamespace", ns, "a host name such as NAMESPACE.servicebus.windows.net", IsHost),
            Credential = ns is null ? null : Wiring.Credential(read.OptionalText($"{Name}__clientId")),
            Topic = read.Text(
                $"{Name}__Topic", "events", "1 to 249 letters, digits and . - _",
                topic => topic.Length is >= 1 and <= 249 && topic is not ("." or "..") && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')),
            SecurityProtocol = read.Text(
                $"{Name}__SecurityProtocol", user is null ? "plaintext" : "sasl_ssl", user is null ? "plaintext or ssl" : "sasl_ssl or sasl_plaintext",
                value => user is null ? value is "plaintext" or "ssl" : value is "sasl_ssl" or "sasl_plaintext") switch
            {
                "ssl" => SecurityProtocol.Ssl,
                "sasl_ssl" => SecurityProtocol.SaslSsl,
                "sasl_plaintext" => SecurityProtocol.SaslPlaintext,
                _ => SecurityProtocol.Plaintext,
            },
            SaslMechanism = read.Text(
                $"{Name}__SaslMechanism", "plain", "plain, scram-sha-256 or scram-sha-512", value => value is "plain" or "scram-sha-256" or "scram-sha-512") switch
            {
                "scram-sha-256" => SaslMechanism.ScramSha256,
                "scram-sha-512" => SaslMechanism.ScramSha512,
                _ => SaslMechanism.Plain,
            },
            UserName = user,
            Password = read.OptionalText($"{Name}__Password"),
            CertificateAuthorities = read.OptionalText($"{Name}__CertificateAuthorities") is { } file
                ? read.Text($"{Name}__CertificateAuthorities", file, "the path of a file of PEM certificates", File.Exists)
                : null,
            Source = settings.Source,
            PublicUrl = settings.PublicUrl,
        };
    }

    private static bool AreServers(string servers) => servers.Split(',').All(server =>
        server.Trim().LastIndexOf(':') is > 0 and var colon && ushort.TryParse(server.Trim()[(colon + 1)..], out var port) && port > 0 && !server.Contains('/', StringComparison.Ordinal));

    private static bool IsHost(string host) => Uri.CheckHostName(host) == UriHostNameType.Dns && host.Contains('.', StringComparison.Ordinal);

    // It holds a password, and so may what the client says about it: neither is shown.
    private static Uri Address(string name, Settings.SettingReader read)
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

    private static Forwarder Forwarder(string name, IForwardTarget target, Settings settings) => new(name, target)
    {
        StartAt = settings.StartAt,
        Within = settings.Within,
        RefusalsInARow = settings.RefusalsInARow,
    };
}

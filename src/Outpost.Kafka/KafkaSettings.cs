using Confluent.Kafka;
using Microsoft.Extensions.Configuration;

namespace Outpost.Kafka;

public sealed partial class KafkaOptions
{
    private const string Group = "Targets__Kafka";

    private static readonly string[] Names =
        ["BootstrapServers", "fullyQualifiedNamespace", "clientId", "Topic", "SecurityProtocol", "SaslMechanism", "UserName", "Password", "CertificateAuthorities"];

    /// <summary>Reads the settings into these options.</summary>
    /// <exception cref="InvalidSettingException">A setting is missing or has a value that is not allowed.</exception>
    internal void Read(IConfiguration configuration, OutpostOptions outpost)
    {
        var read = new SettingReader(configuration);
        (Source, PublicUrl) = (outpost.Source, outpost.BaseUrl);
        if (!read.AllowOnly(Group, Names)) return;
        var (servers, ns) = (read.OptionalText($"{Group}__BootstrapServers"), read.OptionalText($"{Group}__fullyQualifiedNamespace"));
        var user = read.OptionalText($"{Group}__UserName");
        if (servers is null == ns is null)
            throw new InvalidSettingException($"{Group}__BootstrapServers: one of it and {Group}__fullyQualifiedNamespace (Event Hubs, by identity) is needed, and only one.");
        if (ns is not null && Names[4..].FirstOrDefault(name => read.OptionalText($"{Group}__{name}") is not null) is { } other)
            throw new InvalidSettingException($"{Group}__{other}: is not allowed beside {Group}__fullyQualifiedNamespace, which goes by identity.");
        if (user is null != read.OptionalText($"{Group}__Password") is null)
            throw new InvalidSettingException($"{Group}__Password: is needed with {Group}__UserName, and only with it.");
        BootstrapServers = servers is null ? null : read.Text($"{Group}__BootstrapServers", servers, "HOST:PORT, or several separated by commas", AreServers);
        FullyQualifiedNamespace = ns is null ? null : read.Text($"{Group}__fullyQualifiedNamespace", ns, "a host name such as NAMESPACE.servicebus.windows.net", IsHost);
        Credential = ns is null ? null : AzureIdentity.Of(read.OptionalText($"{Group}__clientId"));
        Topic = read.Text(
            $"{Group}__Topic", "events", "1 to 249 letters, digits and . - _",
            topic => topic.Length is >= 1 and <= 249 && topic is not ("." or "..") && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'));
        SecurityProtocol = read.Text(
            $"{Group}__SecurityProtocol", user is null ? "plaintext" : "sasl_ssl", user is null ? "plaintext or ssl" : "sasl_ssl or sasl_plaintext",
            value => user is null ? value is "plaintext" or "ssl" : value is "sasl_ssl" or "sasl_plaintext") switch
        {
            "ssl" => SecurityProtocol.Ssl,
            "sasl_ssl" => SecurityProtocol.SaslSsl,
            "sasl_plaintext" => SecurityProtocol.SaslPlaintext,
            _ => SecurityProtocol.Plaintext,
        };
        SaslMechanism = read.Text(
            $"{Group}__SaslMechanism", "plain", "plain, scram-sha-256 or scram-sha-512", value => value is "plain" or "scram-sha-256" or "scram-sha-512") switch
        {
            "scram-sha-256" => SaslMechanism.ScramSha256,
            "scram-sha-512" => SaslMechanism.ScramSha512,
            _ => SaslMechanism.Plain,
        };
        UserName = user;
        Password = read.OptionalText($"{Group}__Password");
        CertificateAuthorities = read.OptionalText($"{Group}__CertificateAuthorities") is { } file
            ? read.Text($"{Group}__CertificateAuthorities", file, "the path of a file of PEM certificates", File.Exists)
            : null;
    }

    private static bool AreServers(string servers) => servers.Split(',').All(server =>
        server.Trim().LastIndexOf(':') is > 0 and var colon && ushort.TryParse(server.Trim()[(colon + 1)..], out var port) && port > 0 && !server.Contains('/', StringComparison.Ordinal));

    private static bool IsHost(string host) => Uri.CheckHostName(host) == UriHostNameType.Dns && host.Contains('.', StringComparison.Ordinal);
}

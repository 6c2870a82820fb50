using Azure.Core;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Configuration;

namespace Outpost.ServiceBus;

/// <summary>Where entries go.</summary>
public sealed class ServiceBusOptions
{
    /// <summary>Connection string; or else <see cref="FullyQualifiedNamespace"/> and <see cref="Credential"/>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Host name of the namespace, used with <see cref="Credential"/>.</summary>
    public string? FullyQualifiedNamespace { get; set; }

    /// <summary>Managed identity or another token credential.</summary>
    public TokenCredential? Credential { get; set; }

    /// <summary>Topic or queue. Default <c>events</c>.</summary>
    public string Topic { get; set; } = "events";

    /// <summary>CloudEvents source of every message. Default <c>/outpost</c>.</summary>
    internal string Source { get; set; } = "/outpost";

    /// <summary>Base URL in references to payloads too large for the broker.</summary>
    internal string PublicUrl { get; set; } = "http://localhost:7071";

    /// <summary>How long payloads are retained, and so how old an entry may be that a reference in the topic leads to. Null: for ever.</summary>
    internal TimeSpan? PayloadsKeptFor { get; set; }

    /// <summary>Takes what the settings say.</summary>
    /// <exception cref="InvalidSettingException">One has a value that is not allowed.</exception>
    internal void Read(IConfiguration configuration, OutpostOptions outpost)
    {
        var read = new SettingReader(configuration);
        var connection = read.Connection(Setting, "fullyQualifiedNamespace", text => ServiceBusConnectionStringProperties.Parse(text));
        ConnectionString = connection?.ConnectionString;
        FullyQualifiedNamespace = connection?.Address;
        Credential = connection?.Address is null ? null : AzureIdentity.Of(connection.ClientId);
        Topic = read.Text("Forwarder__Topic", "events", TopicAllowed, IsTopic);
        Source = outpost.Source;
        PayloadsKeptFor = outpost.EventsAtLeast;
        PublicUrl = outpost.BaseUrl;
    }

    /// <summary>The setting that says where to.</summary>
    internal const string Setting = "ServiceBus";

    private const string TopicAllowed = "1 to 260 letters, digits and . - _ /";

    private static bool IsTopic(string topic) =>
        topic.Length is >= 1 and <= 260 && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/');

    /// <summary>A client that answers soon, and leaves repeating to the forwarder.</summary>
    internal ServiceBusClient CreateClient()
    {
        var options = new ServiceBusClientOptions();
        // The forwarder repeats by itself, in order and with its own bounds; a send that hides several tries would
        // outlast what the forwarder believes about it.
        options.RetryOptions.MaxRetries = 0;
        // Less than the lease that a send has to end within.
        options.RetryOptions.TryTimeout = TimeSpan.FromSeconds(5);
        return ConnectionString is not null
            ? new ServiceBusClient(ConnectionString, options)
            : new ServiceBusClient(FullyQualifiedNamespace!, Credential!, options);
    }
}

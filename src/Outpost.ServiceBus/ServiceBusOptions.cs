using Azure.Core;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Configuration;

namespace Outpost.ServiceBus;

/// <summary>Says to which topic of which Service Bus namespace entries go, and how to sign in.</summary>
public sealed class ServiceBusOptions
{
    /// <summary>
    /// Connection string of the namespace. Set this, or <see cref="FullyQualifiedNamespace"/> and
    /// <see cref="Credential"/>.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>Host name of the namespace. It needs <see cref="Credential"/>.</summary>
    public string? FullyQualifiedNamespace { get; set; }

    /// <summary>Managed identity or another token credential.</summary>
    public TokenCredential? Credential { get; set; }

    /// <summary>Name of the topic or queue. Default <c>events</c>.</summary>
    public string Topic { get; set; } = "events";

    /// <summary>CloudEvents source of every message. Default <c>/outpost</c>.</summary>
    internal string Source { get; set; } = "/outpost";

    /// <summary>Base URL in references to payloads too large for the broker.</summary>
    internal string PublicUrl { get; set; } = "http://localhost:7071";

    /// <summary>How long payloads are kept, and so how long a reference in the topic is of use. Null: for ever.</summary>
    internal TimeSpan? PayloadsKeptFor { get; set; }

    /// <summary>Reads the settings into these options.</summary>
    /// <exception cref="InvalidSettingException">A setting has a value that is not allowed.</exception>
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

    /// <summary>The setting that holds the connection string.</summary>
    internal const string Setting = "ServiceBus";

    private const string TopicAllowed = "1 to 260 letters, digits and . - _ /";

    private static bool IsTopic(string topic) =>
        topic.Length is >= 1 and <= 260 && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/');

    /// <summary>A client that answers early, and leaves retries to the forwarder.</summary>
    internal ServiceBusClient CreateClient()
    {
        var options = new ServiceBusClientOptions();
        // The forwarder retries by itself, in order and within its own bounds. A send that hides several tries would
        // last longer than the forwarder expects.
        options.RetryOptions.MaxRetries = 0;
        // Shorter than the lease, because a send has to end within it.
        options.RetryOptions.TryTimeout = TimeSpan.FromSeconds(5);
        return ConnectionString is not null
            ? new ServiceBusClient(ConnectionString, options)
            : new ServiceBusClient(FullyQualifiedNamespace!, Credential!, options);
    }
}

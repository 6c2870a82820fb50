using Azure.Core;
using Azure.Messaging.ServiceBus;

namespace Outpost.ServiceBus;

/// <summary>Where entries go.</summary>
public sealed record ServiceBusOptions
{
    /// <summary>Connection string; or else <see cref="FullyQualifiedNamespace"/> and <see cref="Credential"/>.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Host name of the namespace, used with <see cref="Credential"/>.</summary>
    public string? FullyQualifiedNamespace { get; init; }

    /// <summary>Managed identity or another token credential.</summary>
    public TokenCredential? Credential { get; init; }

    /// <summary>Topic or queue. Default <c>events</c>.</summary>
    public string Topic { get; init; } = "events";

    /// <summary>CloudEvents source of every message. Default <c>/outpost</c>.</summary>
    public string Source { get; init; } = "/outpost";

    /// <summary>Base URL in references to payloads too large for the broker.</summary>
    public string PublicUrl { get; init; } = "http://localhost:7071";

    /// <summary>How long payloads are retained, and so how old an entry may be that a reference in the topic leads to. Null: for ever.</summary>
    public TimeSpan? PayloadsKeptFor { get; init; }

    /// <summary>A client that answers soon, and leaves repeating to the forwarder.</summary>
    public ServiceBusClient CreateClient()
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

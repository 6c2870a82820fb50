#nullable disable // the real package's public surface carries no nullable annotations

using Azure.Core;
using Azure.Messaging.ServiceBus.Emulator;

namespace Azure.Messaging.ServiceBus;

public class ServiceBusClient : IAsyncDisposable
{
    private readonly EmulatorEndpoint _endpoint;
    private readonly string _onlyEntity;
    private readonly ServiceBusRetryOptions _retryOptions;
    private volatile bool _closed;

    protected ServiceBusClient()
    {
    }

    public ServiceBusClient(string connectionString)
        : this(connectionString, new ServiceBusClientOptions())
    {
    }

    public ServiceBusClient(string fullyQualifiedNamespace, TokenCredential credential)
        : this(fullyQualifiedNamespace, credential, new ServiceBusClientOptions())
    {
    }

    public ServiceBusClient(string fullyQualifiedNamespace, TokenCredential credential, ServiceBusClientOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(fullyQualifiedNamespace);
        ArgumentNullException.ThrowIfNull(credential);
        throw EmulatorConnectionString.NeedsRealPackage($"the namespace {fullyQualifiedNamespace}");
    }

    public ServiceBusClient(string connectionString, ServiceBusClientOptions options)
    {
        var connection = EmulatorConnectionString.Parse(connectionString);
        options ??= new ServiceBusClientOptions();
        if (options.TransportType != ServiceBusTransportType.AmqpTcp)
        {
            throw new ArgumentException("The emulator is reached by AmqpTcp only.", nameof(options));
        }

        _endpoint = new EmulatorEndpoint(connection);
        _onlyEntity = connection.EntityPath;
        _retryOptions = options.RetryOptions.Clone();
        FullyQualifiedNamespace = connection.Endpoint.Host;
        Identifier = options.Identifier ?? $"{FullyQualifiedNamespace}-{Guid.NewGuid()}";
        TransportType = options.TransportType;
    }

    public virtual string FullyQualifiedNamespace { get; }

    public virtual string Identifier { get; }

    public virtual bool IsClosed => _closed;

    public ServiceBusTransportType TransportType { get; }

    public virtual ServiceBusSender CreateSender(string queueOrTopicName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(queueOrTopicName);
        ObjectDisposedException.ThrowIf(_closed, this);
        if (!string.IsNullOrEmpty(_onlyEntity)
            && !string.Equals(_onlyEntity, queueOrTopicName, StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException($"The connection string is for {_onlyEntity} only.", nameof(queueOrTopicName));
        }

        return new ServiceBusSender(this, queueOrTopicName, _endpoint.Entity(queueOrTopicName), _retryOptions);
    }

    public virtual ValueTask DisposeAsync()
    {
        _closed = true;
        _endpoint?.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

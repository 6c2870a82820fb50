#nullable disable // the real package's public surface carries no nullable annotations

using Azure.Messaging.ServiceBus.Emulator;

namespace Azure.Messaging.ServiceBus;

public sealed class ServiceBusMessageBatch : IDisposable
{
    private readonly Lock _guard = new();
    private readonly BatchBody _body = new();
    private bool _locked;
    private bool _disposed;

    internal ServiceBusMessageBatch(long maxSizeInBytes) => MaxSizeInBytes = maxSizeInBytes;

    public int Count => _body.Count;

    public long MaxSizeInBytes { get; }

    public long SizeInBytes { get; private set; }

    internal BatchBody Body => _body;

    public bool TryAddMessage(ServiceBusMessage message)
    {
        lock (_guard)
        {
            ThrowIfLocked();
            ArgumentNullException.ThrowIfNull(message);
            ObjectDisposedException.ThrowIf(_disposed, this);
            var size = SizeInBytes + AmqpSize.OfBatchEntry(message, Count);
            if (size > MaxSizeInBytes) return false;
            _body.Add(message);
            SizeInBytes = size;
            return true;
        }
    }

    public void Dispose()
    {
        lock (_guard)
        {
            ThrowIfLocked();
            if (_disposed) return;
            _disposed = true;
            SizeInBytes = 0;
            _body.Dispose();
        }
    }

    internal void Lock()
    {
        lock (_guard) _locked = true;
    }

    internal void Unlock()
    {
        lock (_guard) _locked = false;
    }

    private void ThrowIfLocked()
    {
        if (_locked) throw new InvalidOperationException("The batch is being sent; it cannot be changed until that is done.");
    }
}

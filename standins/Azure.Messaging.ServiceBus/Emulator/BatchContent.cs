using Azure.Core;

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>A batch body on its way out; it can be written again for a retry, and owns nothing.</summary>
internal sealed class BatchContent(ReadOnlyMemory<byte> written) : RequestContent
{
    private static readonly byte[] Close = "]"u8.ToArray();

    public override void WriteTo(Stream stream, CancellationToken cancellation)
    {
        stream.Write(written.Span);
        stream.Write(Close);
    }

    public override async Task WriteToAsync(Stream stream, CancellationToken cancellation)
    {
        await stream.WriteAsync(written, cancellation).ConfigureAwait(false);
        await stream.WriteAsync(Close, cancellation).ConfigureAwait(false);
    }

    public override bool TryComputeLength(out long length)
    {
        length = written.Length + Close.Length;
        return true;
    }

    public override void Dispose()
    {
    }
}

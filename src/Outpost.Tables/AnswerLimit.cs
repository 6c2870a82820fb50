using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Outpost.Tables;

/// <summary>
/// Reads no answer of the store beyond <see cref="BytesMax"/>. A query asks for a number of rows, and their size is known only
/// when they arrive: a thousand of the largest rows would be more than a gigabyte.
/// </summary>
internal sealed class AnswerLimit : HttpPipelinePolicy
{
    /// <summary>The limit in bytes: four of the largest rows fit as JSON, and more than a thousand small ones.</summary>
    public const int BytesMax = 6 * 1024 * 1024;

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        Limit(message.Response);
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        ProcessNext(message, pipeline);
        Limit(message.Response);
    }

    /// <summary>Whether a read failed because the answer was larger than the limit.</summary>
    public static bool IsCause(Exception e) => e is StoreUnavailableException { InnerException: TooLarge };

    private static void Limit(Response answer)
    {
        if (answer.ContentStream is not { } content) return;
        if (!content.CanSeek) answer.ContentStream = new LimitedStream(content);
        else if (content.Length > BytesMax) throw Exceeded();
    }

    // The pipeline does not retry this exception: the next answer would be just as large.
    private static StoreUnavailableException Exceeded() => new(
        $"Table Storage's answer is larger than {BytesMax} bytes.", new TooLarge());

    private sealed class TooLarge : Exception;

    private sealed class LimitedStream(Stream content) : Stream
    {
        private long _left = BytesMax;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Count(content.Read(buffer, offset, count));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Count(await content.ReadAsync(buffer, cancellationToken));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) content.Dispose();
            base.Dispose(disposing);
        }

        private int Count(int read)
        {
            _left -= read;
            return _left >= 0 ? read : throw Exceeded();
        }
    }
}

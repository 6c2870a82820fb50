using System.Buffers;

namespace Azure.Data.Tables.Internal;

/// <summary>
/// A growing body in pooled memory. <see cref="Return"/> only after a success at the first try, which proves that the
/// whole body was read: after a timeout or a lost connection the transport may still be sending from it, and then it is
/// left to the garbage collector.
/// </summary>
internal sealed class PooledBytes(int capacity) : IBufferWriter<byte>
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(Length);
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>Text that is ASCII by construction: headers and percent-encoded addresses.</summary>
    public void Append(ReadOnlySpan<char> ascii)
    {
        var target = GetSpan(ascii.Length);
        Length += System.Text.Encoding.ASCII.GetBytes(ascii, target);
    }

    public void Return()
    {
        var bytes = _bytes;
        _bytes = [];
        Length = 0;
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private void Reserve(int count)
    {
        count = Math.Max(count, 1);
        if (_bytes.Length - Length >= count)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, Length + count));
        _bytes.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}

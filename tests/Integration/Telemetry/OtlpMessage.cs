using System.Buffers.Binary;
using System.Text;

namespace Outpost.Tests.Integration.Telemetry;

/// <summary>
/// One message in protobuf's wire format, read by field number; enough for OTLP (opentelemetry-proto, metrics and trace
/// services, version 1).
/// </summary>
internal sealed class OtlpMessage
{
    private readonly List<(int Field, ReadOnlyMemory<byte> Bytes)> _parts = [];

    public OtlpMessage(ReadOnlyMemory<byte> message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message.Span, ref at);
            var start = at;
            switch (tag & 7)
            {
                case 0:
                    Varint(message.Span, ref at);
                    break;
                case 1:
                    at += sizeof(ulong);
                    break;
                case 2:
                    var length = (int)Varint(message.Span, ref at);
                    start = at;
                    at += length;
                    break;
                case 5:
                    at += sizeof(uint);
                    break;
                default:
                    throw new InvalidDataException($"Wire type {tag & 7} is not protobuf's.");
            }

            _parts.Add(((int)(tag >> 3), message[start..at]));
        }
    }

    /// <summary>The messages in that field, and in those fields of them in turn.</summary>
    public IEnumerable<OtlpMessage> All(params int[] path)
    {
        var messages = Parts(path[0]).Select(part => new OtlpMessage(part));
        return path.Length == 1 ? messages : messages.SelectMany(message => message.All(path[1..]));
    }

    public string Text(int field) => Encoding.UTF8.GetString(Last(field).Span);

    public string Hex(int field) => Convert.ToHexStringLower(Last(field).Span);

    public bool Has(int field) => Parts(field).Any();

    /// <summary>Names and values of the attributes in that field, as text.</summary>
    public Dictionary<string, string> Attributes(int field) => All(field).ToDictionary(
        pair => pair.Text(1), pair => AnyValue(pair.All(2).Single()), StringComparer.Ordinal);

    private static string AnyValue(OtlpMessage value)
    {
        const int Text = 1, Boolean = 2, Integer = 3, Real = 4;
        var at = 0;
        var (field, bytes) = value._parts.Single();
        return field switch
        {
            Text => Encoding.UTF8.GetString(bytes.Span),
            Boolean or Integer => $"{(long)Varint(bytes.Span, ref at)}",
            Real => $"{BinaryPrimitives.ReadDoubleLittleEndian(bytes.Span)}",
            _ => $"(field {field})",
        };
    }

    private ReadOnlyMemory<byte> Last(int field) => Parts(field).LastOrDefault();

    private IEnumerable<ReadOnlyMemory<byte>> Parts(int field) => _parts.Where(part => part.Field == field).Select(part => part.Bytes);

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
    }
}

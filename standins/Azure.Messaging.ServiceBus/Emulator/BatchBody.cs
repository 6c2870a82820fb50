using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>
/// The body of a batch send (application/vnd.microsoft.servicebus.json), written message by message into one
/// rented buffer.
/// </summary>
internal sealed class BatchBody : IBufferWriter<byte>, IDisposable
{
    private const int FirstBufferBytes = 16 * 1024;
    private static readonly JsonWriterOptions Json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private readonly Utf8JsonWriter _json;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
    private int _length;

    public BatchBody() => _json = new Utf8JsonWriter(this, Json);

    public int Count { get; private set; }

    /// <summary>Whether a message carries a binary application property, which the service refuses as too large.</summary>
    public bool HasBinaryProperty { get; private set; }

    /// <summary>What was written so far; the closing bracket is <see cref="BatchContent"/>'s.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    public void Add(ServiceBusMessage message)
    {
        Append(Count == 0 ? (byte)'[' : (byte)',');
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteBase64String("Body"u8, (message.Body?.ToMemory() ?? default).Span);
        _json.WriteBoolean("IsBodyBase64"u8, true);
        WriteBrokerProperties(message);
        WriteUserProperties(message);
        _json.WriteEndObject();
        _json.Flush();
        Count++;
    }

    public void Clear()
    {
        _length = 0;
        Count = 0;
        HasBinaryProperty = false;
    }

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _buffer.AsSpan(_length);
    }

    public void Dispose()
    {
        _json.Dispose();
        var buffer = _buffer;
        _buffer = [];
        Clear();
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    private void WriteBrokerProperties(ServiceBusMessage message)
    {
        _json.WriteStartObject("BrokerProperties"u8);
        WriteText("MessageId"u8, message.MessageId);
        WriteText("SessionId"u8, message.SessionId);
        WriteText("PartitionKey"u8, message.PartitionKey);
        WriteText("Label"u8, message.Subject);
        WriteText("ContentType"u8, message.ContentType);
        WriteText("CorrelationId"u8, message.CorrelationId);
        WriteText("ReplyTo"u8, message.ReplyTo);
        WriteText("ReplyToSessionId"u8, message.ReplyToSessionId);
        WriteText("To"u8, message.To);
        if (message.TimeToLive != TimeSpan.MaxValue) _json.WriteNumber("TimeToLive"u8, message.TimeToLive.TotalSeconds);
        if (message.ScheduledEnqueueTime > DateTimeOffset.MinValue)
        {
            var time = message.ScheduledEnqueueTime.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
            _json.WriteString("ScheduledEnqueueTimeUtc"u8, time);
        }

        _json.WriteEndObject();
    }

    private void WriteUserProperties(ServiceBusMessage message)
    {
        _json.WriteStartObject("UserProperties"u8);
        foreach (var (name, value) in message.ApplicationProperties)
        {
            _json.WritePropertyName(name);
            WriteValue(value);
        }

        _json.WriteEndObject();
    }

    /// <summary>JSON knows strings, numbers and booleans; other types travel as text.</summary>
    private void WriteValue(object? value)
    {
        switch (value)
        {
            case null: _json.WriteNullValue(); break;
            case string text: _json.WriteStringValue(text); break;
            case bool flag: _json.WriteBooleanValue(flag); break;
            case byte or sbyte or short or ushort or int or long:
                _json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case uint or ulong: _json.WriteNumberValue(Convert.ToUInt64(value, CultureInfo.InvariantCulture)); break;
            case float number when float.IsFinite(number): _json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): _json.WriteNumberValue(number); break;
            case decimal number: _json.WriteNumberValue(number); break;
            case DateTime time: _json.WriteStringValue(time); break;
            case DateTimeOffset time: _json.WriteStringValue(time); break;
            case Guid guid: _json.WriteStringValue(guid); break;
            case Uri uri: _json.WriteStringValue(uri.AbsoluteUri); break;
            case byte[] or ArraySegment<byte> or Stream:
                HasBinaryProperty = true;
                _json.WriteNullValue();
                break;
            default: _json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private void WriteText(ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) _json.WriteString(name, value);
    }

    private void Append(byte value)
    {
        EnsureRoom(1);
        _buffer[_length++] = value;
    }

    private void EnsureRoom(int sizeHint)
    {
        var needed = _length + Math.Max(sizeHint, 256);
        if (needed <= _buffer.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 2 * _buffer.Length));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}

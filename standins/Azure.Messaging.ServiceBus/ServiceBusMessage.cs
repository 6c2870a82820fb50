#nullable disable // the real package's public surface carries no nullable annotations

using System.Text;

namespace Azure.Messaging.ServiceBus;

public class ServiceBusMessage
{
    private const int KeyLengthMax = 128;
    private string _messageId;
    private string _partitionKey;
    private string _sessionId;
    private string _replyToSessionId;
    private TimeSpan _timeToLive = TimeSpan.MaxValue;

    public ServiceBusMessage()
        : this(default(ReadOnlyMemory<byte>))
    {
    }

    public ServiceBusMessage(string body)
        : this(Encoding.UTF8.GetBytes(body))
    {
    }

    public ServiceBusMessage(BinaryData body)
        : this(body?.ToMemory() ?? default)
    {
    }

    public ServiceBusMessage(ReadOnlyMemory<byte> body) => Body = BinaryData.FromBytes(body);

    public IDictionary<string, object> ApplicationProperties { get; } = new Dictionary<string, object>();

    public BinaryData Body { get; set; }

    public string ContentType { get; set; }

    public string CorrelationId { get; set; }

    public string MessageId
    {
        get => _messageId;
        set
        {
            ArgumentException.ThrowIfNullOrEmpty(value);
            _messageId = NotTooLong(value);
        }
    }

    public string PartitionKey
    {
        get => _partitionKey;
        set
        {
            NotTooLong(value);
            if (_sessionId != null && _sessionId != value)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value),
                    $"PartitionKey:{value} cannot be set to a different value than SessionId:{_sessionId}.");
            }

            _partitionKey = value;
        }
    }

    public string ReplyTo { get; set; }

    public string ReplyToSessionId
    {
        get => _replyToSessionId;
        set => _replyToSessionId = NotTooLong(value);
    }

    public DateTimeOffset ScheduledEnqueueTime { get; set; }

    public string SessionId
    {
        get => _sessionId;
        set
        {
            _sessionId = NotTooLong(value);

            // The session takes precedence over a partition key set before it.
            if (_partitionKey != null && _partitionKey != value) _partitionKey = value;
        }
    }

    public string Subject { get; set; }

    public TimeSpan TimeToLive
    {
        get => _timeToLive;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            _timeToLive = value;
        }
    }

    public string To { get; set; }

    public override string ToString() => $"{{MessageId:{MessageId}}}";

    private static string NotTooLong(string value) =>
        value is null || value.Length <= KeyLengthMax
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The value is longer than {KeyLengthMax} characters.");
}

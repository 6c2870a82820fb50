namespace Azure.Messaging.ServiceBus;

public class CreateMessageBatchOptions
{
    private long? _maxSizeInBytes;

    public long? MaxSizeInBytes
    {
        get => _maxSizeInBytes;
        set
        {
            if (value is { } size)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(size, ServiceBusSender.MinimumBatchSizeLimit, nameof(MaxSizeInBytes));
            }

            _maxSizeInBytes = value;
        }
    }
}

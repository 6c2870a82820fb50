namespace Azure.Messaging.ServiceBus;

public class ServiceBusRetryOptions
{
    private int _maxRetries = 3;
    private TimeSpan _delay = TimeSpan.FromSeconds(0.8);
    private TimeSpan _maxDelay = TimeSpan.FromMinutes(1);
    private TimeSpan _tryTimeout = TimeSpan.FromMinutes(1);

    public ServiceBusRetryMode Mode { get; set; } = ServiceBusRetryMode.Exponential;

    public int MaxRetries
    {
        get => _maxRetries;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxRetries));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 100, nameof(MaxRetries));
            _maxRetries = value;
        }
    }

    public TimeSpan Delay
    {
        get => _delay;
        set => _delay = InRange(value, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(5), nameof(Delay));
    }

    public TimeSpan MaxDelay
    {
        get => _maxDelay;
        set => _maxDelay = InRange(value, TimeSpan.Zero, TimeSpan.MaxValue, nameof(MaxDelay));
    }

    public TimeSpan TryTimeout
    {
        get => _tryTimeout;
        set
        {
            if (value < TimeSpan.Zero) throw new ArgumentException("The timeout must not be negative.", nameof(TryTimeout));
            _tryTimeout = InRange(value, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(TryTimeout));
        }
    }

    internal ServiceBusRetryOptions Clone() => (ServiceBusRetryOptions)MemberwiseClone();

    private static TimeSpan InRange(TimeSpan value, TimeSpan min, TimeSpan max, string name) =>
        value >= min && value <= max
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"The value must be between {min} and {max}.");
}

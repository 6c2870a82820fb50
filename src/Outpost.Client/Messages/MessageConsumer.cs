using System.Diagnostics;

namespace Outpost.Client;

/// <summary>
/// Handles each message that a source delivers until it is done or becomes a dead letter. Delivery is at least once.
/// The effect is exactly once where the handler stores <see cref="EventMessage.Key"/> with it. Thread-safe.
/// </summary>
public sealed class MessageConsumer
{
    internal static readonly ActivitySource Activities = new("Outpost.Client");

    private readonly IMessageSource _source;
    private readonly Func<EventMessage, CancellationToken, Task> _handle;
    private readonly MessageConsumerOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ReferencedPayloads _payloads;

    /// <param name="source">Where messages come from.</param>
    /// <param name="handle">Handles a message, as <see cref="IMessageHandler.HandleAsync"/> does.</param>
    /// <param name="options">How messages are handled.</param>
    /// <param name="time">Measures tries and pauses.</param>
    /// <param name="random">Spreads pauses; must be thread-safe.</param>
    /// <exception cref="ArgumentException">An option has a value that is not allowed.</exception>
    internal MessageConsumer(
        IMessageSource source, Func<EventMessage, CancellationToken, Task> handle, MessageConsumerOptions options, TimeProvider time, Random random)
    {
        if (options.Problem() is { } problem) throw new ArgumentException(problem, nameof(options));
        (_source, _handle, _options, _time, _random) = (source, handle, options, time, random);
        _payloads = new ReferencedPayloads(options.Address, options.Key);
    }

    /// <summary>Called with the outcome of each message: null when it is done, or else why it becomes a dead letter.</summary>
    internal Action<string?>? OnSettled { get; init; }

    /// <summary>Runs until it is stopped. A source that fails is run again after a pause of at most 30 s.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        for (var failures = 0; !stop.IsCancellationRequested;)
        {
            var began = _time.GetTimestamp();
            try
            {
                await _source.RunAsync(this, stop);
                return;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // A broker's library may throw anything, and the broker may come back.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(e);
                // A run that lasted long resets the wait.
                failures = _time.GetElapsedTime(began) > Backoff.Longest ? 1 : failures + 1;
            }

            await PauseAsync(failures, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Handles the present dead letters in order. A dead letter that fails again stays. Safe while the consumer runs.
    /// </summary>
    /// <returns>How many dead letters are done, and how many stay.</returns>
    public Task<(int Done, int Left)> RetryDeadLettersAsync(CancellationToken cancellationToken) => _source.RetryDeadLettersAsync(this, cancellationToken);

    /// <summary>Handles one message, in as many tries as it takes. Call it from a source.</summary>
    /// <param name="read">Reads the message; throws a <see cref="FormatException"/> where it is no event of Outpost.</param>
    /// <param name="cancellationToken">Cancelled when the consumer stops, or when the message is no longer its own.</param>
    /// <returns>Null when the message is done, or else why it has to become a dead letter.</returns>
    /// <exception cref="OperationCanceledException">
    /// The message is neither done nor a dead letter; the source delivers it again.
    /// </exception>
    public async Task<string?> HandleAsync(Func<EventMessage> read, CancellationToken cancellationToken)
    {
        var reason = await ReasonAsync(read, cancellationToken);
        OnSettled?.Invoke(reason);
        return reason;
    }

    /// <summary>Reports a failure that is tried again. Call it from a source.</summary>
    public void Failed(Exception e) => _options.OnError?.Invoke(e);

    private async Task<string?> ReasonAsync(Func<EventMessage> read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        EventMessage message;
        try
        {
            message = read();
        }
        catch (FormatException e)
        {
            return $"This is no event of Outpost: {e.Message}";
        }

        ActivityContext.TryParse(message.TraceParent, null, isRemote: true, out var caller);
        using var span = Activities.StartActivity($"process {message.Type}", ActivityKind.Consumer, caller);
        span?.SetTag("messaging.message.id", message.Id);
        for (var (tries, counted) = (1, 0); ; tries++)
        {
            try
            {
                await TryAsync(message, cancellationToken);
                return null;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                throw;
            }
#pragma warning disable CA1031 // A handler may throw anything. The message is tried again, and becomes a dead letter in the end.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(e);
                span?.SetStatus(ActivityStatusCode.Error, e.Message);
                if (e is PoisonMessageException && _options.Attempts is not null) return e.Message;
                if (!_options.Passes(e) && ++counted >= _options.Attempts) return $"Failed {counted} times: {e.GetType().Name}: {e.Message}";
            }

            await PauseAsync(tries, cancellationToken);
        }
    }

    private async Task TryAsync(EventMessage message, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            if (message.Reference is { } reference)
                message = message with { PayloadBytes = await _payloads.ReadAsync(reference, end.Token), Reference = null };
            await _handle(message, end.Token);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Handling took longer than {_options.Timeout.TotalSeconds} seconds.", e);
        }
    }

    private Task PauseAsync(int failures, CancellationToken stop) => Task.Delay(Backoff.After(failures, null, _random.NextDouble()), _time, stop);
}

using System.Diagnostics;

namespace Outpost.Client;

/// <summary>
/// Handles what a source delivers until it is done or a dead letter. Delivery is at least once; the effect is exactly once where the
/// handler stores <see cref="EventMessage.Key"/> with it. Thread-safe.
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
    /// <param name="handle">As <see cref="IMessageHandler.HandleAsync"/>.</param>
    /// <param name="options">How it is called.</param>
    /// <param name="time">Measures tries and pauses.</param>
    /// <param name="random">Spreads pauses; must be thread-safe, as the shared one is.</param>
    /// <exception cref="ArgumentException">An option has a value that is not allowed.</exception>
    internal MessageConsumer(
        IMessageSource source, Func<EventMessage, CancellationToken, Task> handle, MessageConsumerOptions options, TimeProvider time, Random random)
    {
        if (options.Problem() is { } problem) throw new ArgumentException(problem, nameof(options));
        (_source, _handle, _options, _time, _random) = (source, handle, options, time, random);
        _payloads = new ReferencedPayloads(options.Address, options.Key);
    }

    /// <summary>Told what came of each message: null, it is done; else why it is a dead letter.</summary>
    internal Action<string?>? OnSettled { get; init; }

    /// <summary>Runs until it is stopped. A source that fails is run again, after pauses of up to 30 s.</summary>
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
#pragma warning disable CA1031 // Whatever a broker's library throws: the broker may come back.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(e);
                // A try that ran for long resets the wait.
                failures = _time.GetElapsedTime(began) > Backoff.Longest ? 1 : failures + 1;
            }

            await PauseAsync(failures, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Handles the dead letters that there are, in order; what fails again stays. Safe beside <see cref="RunAsync"/>.</summary>
    /// <returns>How many are done, and how many stay.</returns>
    public Task<(int Done, int Left)> RetryDeadLettersAsync(CancellationToken cancellationToken) => _source.RetryDeadLettersAsync(this, cancellationToken);

    /// <summary>For a source: handles one message, as often as it takes.</summary>
    /// <param name="read">Reads it; a <see cref="FormatException"/> where it is no event of Outpost.</param>
    /// <param name="cancellationToken">The message is no longer this consumer's, or it stops.</param>
    /// <returns>Null: it is done. Else why it has to become a dead letter.</returns>
    /// <exception cref="OperationCanceledException">It is neither: the source delivers it again.</exception>
    public async Task<string?> HandleAsync(Func<EventMessage> read, CancellationToken cancellationToken)
    {
        var reason = await ReasonAsync(read, cancellationToken);
        OnSettled?.Invoke(reason);
        return reason;
    }

    /// <summary>For a source: something failed, and is tried again.</summary>
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
#pragma warning disable CA1031 // A handler may throw anything; the message waits, and is a dead letter in the end.
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

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>
/// Runs one operation under ServiceBusRetryOptions, with the real client's habit after a "server busy": for ten
/// seconds the sender asks nobody. An operation whose tries all together are shorter than that waits one try timeout
/// and fails as busy without a request; a longer one waits the ten seconds out first.
/// </summary>
internal sealed class RetryRunner(ServiceBusRetryOptions options)
{
    private const double JitterShare = 0.08;
    private static readonly TimeSpan BusyPause = TimeSpan.FromSeconds(10);
    private volatile string? _busy;

    public async Task<T> RunAsync<T>(Func<TimeSpan, CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        try
        {
            return await RunUntilAnsweredAsync(operation, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (exception is not TaskCanceledException)
        {
            throw new TaskCanceledException(exception.Message, exception, exception.CancellationToken);
        }
    }

    private async Task<T> RunUntilAnsweredAsync<T>(
        Func<TimeSpan, CancellationToken, Task<T>> operation, CancellationToken cancellationToken)
    {
        if (_busy is { } busy && options.TryTimeout * options.MaxRetries < BusyPause)
        {
            await Task.Delay(options.TryTimeout, cancellationToken).ConfigureAwait(false);
            throw new ServiceBusException(busy, ServiceBusFailureReason.ServiceBusy);
        }

        for (var failed = 1; ; failed++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_busy is not null) await Task.Delay(BusyPause, cancellationToken).ConfigureAwait(false);
            try
            {
                return await operation(options.TryTimeout, cancellationToken).ConfigureAwait(false);
            }
            catch (ServiceBusException exception)
            {
                if (exception.Reason == ServiceBusFailureReason.ServiceBusy)
                {
                    _ = BeBusyAsync(exception.Message, cancellationToken);
                }

                if (!exception.IsTransient || failed > options.MaxRetries || options.MaxDelay == TimeSpan.Zero) throw;
            }

            await Task.Delay(DelayAfter(failed), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task BeBusyAsync(string message, CancellationToken cancellationToken)
    {
        if (_busy is not null) return;
        _busy = message;
        await Task.Delay(BusyPause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _busy = null;
    }

    private TimeSpan DelayAfter(int failed)
    {
        var factor = options.Mode == ServiceBusRetryMode.Fixed ? 1 : Math.Pow(2, failed);
#pragma warning disable CA5394 // jitter is no secret
        var delay = options.Delay.TotalSeconds * (factor + (Random.Shared.NextDouble() * JitterShare));
#pragma warning restore CA5394
        return TimeSpan.FromSeconds(Math.Min(delay, options.MaxDelay.TotalSeconds));
    }
}

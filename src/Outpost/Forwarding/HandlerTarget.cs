using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Outpost.Forwarding;

/// <summary>
/// Handles one type of event inside the app, asynchronously from the log. Called in order within a partition, at least
/// once for each event: pass <see cref="EventEntry.Id"/> on as the idempotency key of whatever it calls.
/// </summary>
/// <typeparam name="TEvent">The payload; the event type is its name.</typeparam>
#pragma warning disable CA1711 // The field's word for it; nothing here is a delegate.
public interface IEventHandler<in TEvent>
#pragma warning restore CA1711
{
    /// <summary>
    /// Handles one event. Timeouts, lost connections and answers of 408, 429 and 5xx may simply be thrown: the event
    /// waits, and those behind it. <see cref="PermanentFailureException"/> parks it at once, anything else after
    /// <see cref="HandlerOptions.AttemptsMax"/> times.
    /// </summary>
    Task HandleAsync(TEvent payload, EventEntry entry, CancellationToken cancellationToken);
}

/// <summary>An event that will never be handled as it is: it is parked, with this as the reason.</summary>
public sealed class PermanentFailureException : Exception
{
    /// <summary>With a reason for people.</summary>
    public PermanentFailureException(string message)
        : base(message)
    {
    }

    /// <summary>With a reason for people, and what it came from.</summary>
    public PermanentFailureException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>How a handler is called.</summary>
public sealed record HandlerOptions
{
    /// <summary>Calls of one event that may fail for a reason nobody knows, before it is parked. Default 5.</summary>
    public int AttemptsMax { get; init; } = 5;

    /// <summary>Longest call; then it counts as a timeout. Default 5 s: it must end well before the lease does.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>A handler as a forwarder's target: with a checkpoint of its own, and parked events of its own.</summary>
public sealed class HandlerTarget<TEvent>(IEventHandler<TEvent> handler, JsonTypeInfo<TEvent> json, HandlerOptions options, TimeProvider time)
    : IForwardTarget
{
    // Then the checkpoint is written, so that little is done again after a crash.
    private static readonly TimeSpan BatchTime = TimeSpan.FromSeconds(1);

    // Entries that failed and wait: one that is new and those that are retried, in each partition. Beyond that they are what
    // other processes took over meanwhile, and counting afresh costs some calls.
    private const int CountedMax = 1_000;

    private static readonly string EventType = typeof(TEvent).Name;

    // By entry: a retry that fails says nothing about a new entry that fails beside it.
    private readonly ConcurrentDictionary<EventId, int> _attempts = new();

    /// <inheritdoc/>
    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        var (start, handled) = (time.GetTimestamp(), false);
        for (var done = 0; done < entries.Count; done++)
        {
            var entry = entries[done];
            if (entry.Type != EventType) continue;
            if (done > 0 && time.GetElapsedTime(start) > BatchTime) return Accepted(done);
            // What was handled before it counts; it comes first in the next delivery.
            if (await HandleAsync(entry, cancellationToken) is { } failure) return done > 0 ? Accepted(done) : failure;
            handled = true;
        }

        return Accepted(entries.Count);

        Delivery.Accepted Accepted(int count) => new(count) { IsPassedOver = !handled };
    }

    // Null: it is handled.
    private async Task<Delivery?> HandleAsync(EventEntry entry, CancellationToken cancellationToken)
    {
        // By itself: what the handler reads may be no JSON either, which says nothing about the event.
        TEvent payload;
        try
        {
            payload = JsonSerializer.Deserialize(entry.Payload.Span, json) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            return new Delivery.Refused(1, $"The payload is no {EventType}: {e.Message}");
        }

        return await HandleAsync(payload, entry, cancellationToken);
    }

    private async Task<Delivery?> HandleAsync(TEvent payload, EventEntry entry, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.Timeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await handler.HandleAsync(payload, entry, end.Token);
            _attempts.TryRemove(entry.Id, out _);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested)
        {
            return new Delivery.Failed(new TimeoutException($"Handling took longer than {options.Timeout.TotalSeconds} seconds.", e), IsTransient: true);
        }
        catch (Exception e) when (IsTransient(e))
        {
            return new Delivery.Failed(e, IsTransient: true);
        }
        catch (PermanentFailureException e)
        {
            return new Delivery.Refused(1, e.Message);
        }
#pragma warning disable CA1031 // A handler may throw anything; the event waits, and is parked in the end.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (_attempts.Count >= CountedMax) _attempts.Clear();
            var attempts = _attempts.AddOrUpdate(entry.Id, 1, (_, before) => before + 1);
            if (attempts < options.AttemptsMax) return new Delivery.Failed(e, IsTransient: true);
            // An operator's retry has as many again.
            _attempts.TryRemove(entry.Id, out _);
            return new Delivery.Refused(1, $"Failed {attempts} times: {e.GetType().Name}: {e.Message}");
        }
    }

    private static bool IsTransient(Exception e) => e switch
    {
        HttpRequestException { StatusCode: { } status } => (int)status is 408 or 429 or >= 500,
        HttpRequestException or IOException or TimeoutException or System.Net.Sockets.SocketException or OperationCanceledException => true,
        _ => false,
    };
}

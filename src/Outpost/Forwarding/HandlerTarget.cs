using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Outpost.Forwarding;

/// <summary>
/// Handles one type of event inside the app, asynchronously from the log. Outpost calls it in order within a partition, and at
/// least once for each event. Pass <see cref="EventEntry.Id"/> as the idempotency key to whatever your handler calls.
/// </summary>
/// <typeparam name="TEvent">Type of the payload; its <see cref="EventName"/> is the event type. A class may handle several types.</typeparam>
#pragma warning disable CA1711 // The field's word for it; nothing here is a delegate.
public interface IEventHandler<in TEvent>
#pragma warning restore CA1711
{
    /// <summary>
    /// Handles one event. You can let timeouts, lost connections and HTTP statuses 408, 429 and 5xx throw: the event then waits, and
    /// so do those behind it. A <see cref="PermanentFailureException"/> parks the event at once. Any other exception parks it after
    /// <see cref="HandlerOptions.AttemptsMax"/> attempts.
    /// </summary>
    Task HandleAsync(TEvent payload, EventEntry entry, CancellationToken cancellationToken);
}

/// <summary>Throw this when an event can never be handled as it is. Outpost parks the event, with the message as the reason.</summary>
public sealed class PermanentFailureException : OutpostException
{
    /// <summary>Creates an exception with a reason for operators.</summary>
    public PermanentFailureException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an exception with a reason for operators, and its cause.</summary>
    public PermanentFailureException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>How Outpost calls a handler.</summary>
public sealed class HandlerOptions
{
    /// <summary>The longest <see cref="Timeout"/> that is allowed, 10 s: a call is made under a lease of 15 s.</summary>
    public static readonly TimeSpan TimeoutMax = TimeSpan.FromSeconds(10);

    /// <summary>How many calls for one event may fail with an unexpected exception before the event is parked. Default 5.</summary>
    public int AttemptsMax { get; set; } = 5;

    /// <summary>The longest time that a call may take, up to <see cref="TimeoutMax"/>. A longer call is cancelled, and tried again. Default 5 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>A handler of one type of event as a forwarder's target, with its own checkpoint and parked events.</summary>
/// <param name="handler">Called for each event, and for several partitions at once.</param>
/// <param name="json">How payloads are read.</param>
/// <param name="options">How the handler is called.</param>
/// <param name="time">Measures calls.</param>
internal sealed class HandlerTarget<TEvent>(IEventHandler<TEvent> handler, JsonTypeInfo<TEvent> json, HandlerOptions options, TimeProvider time) : IForwardTarget
{
    private readonly HandlerTarget _target = new(Routes(handler, json), _ => false, scopes: null, options, time);

    /// <inheritdoc/>
    public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken) =>
        _target.DeliverAsync(entries, replay, cancellationToken);

    private static Dictionary<string, HandlerRoute> Routes(IEventHandler<TEvent> handler, JsonTypeInfo<TEvent> json)
    {
        var route = new HandlerRoute(
            payload => JsonSerializer.Deserialize(payload.Span, json), (_, payload, entry, stop) => handler.HandleAsync((TEvent)payload, entry, stop));
        return EventName.AllOf(typeof(TEvent)).ToDictionary(name => name, _ => route);
    }
}

/// <summary>Calls a handler for the events that it handles, in order.</summary>
internal sealed class HandlerTarget : IForwardTarget
{
    // After this time the checkpoint is written, so that little is repeated after a crash.
    private static readonly TimeSpan BatchTime = TimeSpan.FromSeconds(1);

    // In each partition, one new entry and those that are retried can fail and wait. More than this are leftovers that other
    // processes took over meanwhile. Counting from zero costs only some calls.
    private const int CountedMax = 1_000;

    // Counted by entry: a retry that fails says nothing about a new entry that fails too.
    private readonly ConcurrentDictionary<EventId, int> _attempts = new();
    private readonly IReadOnlyDictionary<string, HandlerRoute> _routes;
    private readonly Func<string, bool> _isUnknown;
    private readonly IServiceScopeFactory? _scopes;
    private readonly HandlerOptions _options;
    private readonly TimeProvider _time;

    /// <param name="routes">Routes by the stored event type.</param>
    /// <param name="isUnknown">Whether no event of the app has this type, so that passing over the entry might lose it.</param>
    /// <param name="scopes">Creates a scope for each event; null if there are none.</param>
    /// <param name="options">How the handler is called.</param>
    /// <param name="time">Measures calls.</param>
    public HandlerTarget(
        IReadOnlyDictionary<string, HandlerRoute> routes, Func<string, bool> isUnknown, IServiceScopeFactory? scopes, HandlerOptions options, TimeProvider time)
    {
        (_routes, _isUnknown, _scopes, _options, _time) = (routes, isUnknown, scopes, options, time);
    }

    /// <inheritdoc/>
    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        var (start, handled) = (_time.GetTimestamp(), false);
        for (var done = 0; done < entries.Count; done++)
        {
            var entry = entries[done];
            var route = _routes.GetValueOrDefault(entry.Type);
            if (route is null && !_isUnknown(entry.Type)) continue;
            if (done > 0 && _time.GetElapsedTime(start) > BatchTime) return Accepted(done);
            // The entries handled so far count. The one that failed comes first in the next delivery.
            if (await HandleAsync(route, entry, cancellationToken) is { } failure) return done > 0 ? Accepted(done) : failure;
            handled = true;
        }

        return Accepted(entries.Count);

        Delivery.Accepted Accepted(int count) => new(count) { IsPassedOver = !handled };
    }

    // Returns null if the entry is handled.
    private async Task<Delivery?> HandleAsync(HandlerRoute? route, EventEntry entry, CancellationToken cancellationToken)
    {
        // A newer version of the app may know the type, and may be running somewhere already. So the entry waits before it is parked.
        if (route is null) return Counted(entry, new UnknownEventException(entry.Type));
        // Only the payload is read in this block: invalid JSON that the handler meets elsewhere says nothing about the event.
        object payload;
        try
        {
            payload = route.Read(entry.Payload) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            return new Delivery.Refused(1, $"The payload is not the JSON of {entry.Type}: {e.Message}");
        }

        return await HandleAsync(route, payload, entry, cancellationToken);
    }

    private async Task<Delivery?> HandleAsync(HandlerRoute route, object payload, EventEntry entry, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await CallAsync(route, payload, entry, end.Token);
            _attempts.TryRemove(entry.Id, out _);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested)
        {
            return new Delivery.Failed(new TimeoutException($"Handling took longer than {_options.Timeout.TotalSeconds} seconds.", e), IsTransient: true);
        }
        catch (Exception e) when (IsTransient(e))
        {
            return new Delivery.Failed(e, IsTransient: true);
        }
        catch (PermanentFailureException e)
        {
            return new Delivery.Refused(1, e.Message);
        }
#pragma warning disable CA1031 // A handler may throw anything. The event waits, and is parked in the end.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Counted(entry, e);
        }
    }

    private async Task CallAsync(HandlerRoute route, object payload, EventEntry entry, CancellationToken end)
    {
        if (_scopes is null)
        {
            await route.Handle(null, payload, entry, end);
            return;
        }

        await using var scope = _scopes.CreateAsyncScope();
        await route.Handle(scope.ServiceProvider, payload, entry, end);
    }

    private Delivery Counted(EventEntry entry, Exception e)
    {
        if (_attempts.Count >= CountedMax) _attempts.Clear();
        var attempts = _attempts.AddOrUpdate(entry.Id, 1, (_, before) => before + 1);
        if (attempts < _options.AttemptsMax) return new Delivery.Failed(e, IsTransient: true);
        // A retry by an operator gets as many attempts again.
        _attempts.TryRemove(entry.Id, out _);
        return new Delivery.Refused(1, $"Failed {attempts} times: {e.GetType().Name}: {e.Message}");
    }

    private static bool IsTransient(Exception e) => e switch
    {
        HttpRequestException { StatusCode: { } status } => (int)status is 408 or 429 or >= 500,
        HttpRequestException or IOException or TimeoutException or System.Net.Sockets.SocketException or OperationCanceledException => true,
        _ => false,
    };
}

/// <summary>What a handler does with the events of one stored type.</summary>
/// <param name="Read">Reads the payload, or throws a <see cref="JsonException"/>.</param>
/// <param name="Handle">Calls the handler. It comes from the services of a scope, or is the same for all events.</param>
internal sealed record HandlerRoute(
    Func<ReadOnlyMemory<byte>, object?> Read, Func<IServiceProvider?, object, EventEntry, CancellationToken, Task> Handle);

/// <summary>An entry has a type that no event of the app declares.</summary>
internal sealed class UnknownEventException(string type)
    : OutpostException($"No event of this app is stored as '{type}'. Was its class renamed? Declare the old name as an alias of its [EventName].");

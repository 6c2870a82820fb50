using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Outpost.Forwarding;

namespace Outpost;

/// <summary>Adds targets, handlers and events to Outpost while you set up an app.</summary>
public sealed class OutpostBuilder
{
    private static readonly MethodInfo RouteMethod = typeof(OutpostBuilder).GetMethod(nameof(Route), BindingFlags.NonPublic | BindingFlags.Static)!;

    private readonly HashSet<string> _names = [];
    private readonly EventTypes _events;

    internal OutpostBuilder(IServiceCollection services, EventTypes events) => (Services, _events) = (services, events);

    /// <summary>The app's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Adds a handler for one type of event. It runs in this app, asynchronously from the log, with its own checkpoint. Each event
    /// gets a handler from a new service scope.
    /// </summary>
    /// <param name="name">Name of the handler's checkpoints: 1 to 50 characters of <c>a-z0-9-</c>. Never change it.</param>
    /// <param name="within">An event that waits longer than this is late.</param>
    /// <param name="configure">Changes how Outpost calls the handler.</param>
    /// <exception cref="ArgumentException">The name is not allowed or taken, or another class has the event's name.</exception>
    public OutpostBuilder AddHandler<TEvent, THandler>(string name, TimeSpan within, Action<HandlerOptions>? configure = null)
        where TEvent : notnull
        where THandler : class, IEventHandler<TEvent> =>
        AddHandler(typeof(THandler), [typeof(TEvent)], name, within, configure);

    /// <summary>Adds a handler for every type of event that <typeparamref name="THandler"/> handles: in order, with one checkpoint for all.</summary>
    /// <inheritdoc cref="AddHandler{TEvent, THandler}"/>
    public OutpostBuilder AddHandler<THandler>(string name, TimeSpan within, Action<HandlerOptions>? configure = null)
        where THandler : class =>
        AddHandler(typeof(THandler), HandledBy(typeof(THandler)), name, within, configure);

    /// <summary>
    /// Adds a target, which gets all entries, each at least once and in order per subject. Each delivery gets a target from a new
    /// service scope. If your target keeps connections, register it as a singleton first.
    /// </summary>
    /// <param name="name">Name of the forwarder and its checkpoints: 1 to 50 characters of <c>a-z0-9-</c>. Never change it.</param>
    /// <param name="within">An entry that waits longer than this is late. If null, <see cref="OutpostOptions.Within"/> applies.</param>
    /// <exception cref="ArgumentException">The name is not allowed or taken.</exception>
    public OutpostBuilder AddTarget<TTarget>(string name, TimeSpan? within = null)
        where TTarget : class, IForwardTarget
    {
        Services.TryAddScoped<TTarget>();
        return AddTarget(name, services => new ScopedTarget(
            services.GetRequiredService<IServiceScopeFactory>(), scope => scope.GetRequiredService<TTarget>()), within);
    }

    /// <summary>Adds a target that is created once.</summary>
    /// <param name="name">Name of the forwarder and its checkpoints: 1 to 50 characters of <c>a-z0-9-</c>. Never change it.</param>
    /// <param name="target">
    /// Creates the target when the app starts. If it returns null, this app has no such target, for example because a setting is
    /// left out.
    /// </param>
    /// <param name="within">An entry that waits longer than this is late. If null, <see cref="OutpostOptions.Within"/> applies.</param>
    /// <exception cref="ArgumentException">The name is not allowed or taken.</exception>
    public OutpostBuilder AddTarget(string name, Func<IServiceProvider, IForwardTarget?> target, TimeSpan? within = null)
    {
        if (!Forwarder.IsName(name)) throw new ArgumentException($"name: '{name}' is not allowed; 1 to 50 characters of a-z, 0-9 and - are.", nameof(name));
        if (!_names.Add(name)) throw new ArgumentException($"name: there is already a target or handler '{name}'.", nameof(name));
        Services.AddSingleton(new ForwarderRegistration(name, services =>
        {
            var options = services.GetRequiredService<IOptions<OutpostOptions>>().Value;
            return target(services) is { } made
                ? new Forwarder(name, made) { StartAt = options.StartAt, Within = within ?? options.Within, RefusalsInARow = options.RefusalsInARow }
                : null;
        }));
        return this;
    }

    /// <summary>
    /// Adds a target that exists only if its setting does. Without the setting, this app has no such forwarder, and logs so once at
    /// start. It logs nothing for a setting whose name begins with <c>Targets__</c>.
    /// </summary>
    /// <param name="name">Name of the forwarder and its checkpoints: 1 to 50 characters of <c>a-z0-9-</c>. Never change it.</param>
    /// <param name="setting">The setting that gives the destination, such as <c>Targets__WebHook__Url</c>.</param>
    /// <param name="read">Copies the settings into the options, and throws an <see cref="InvalidSettingException"/> if one is not allowed.</param>
    /// <param name="isSet">Whether the options have a destination.</param>
    /// <param name="configure">Changes the options; it wins over the settings.</param>
    /// <typeparam name="TTarget">The target, which is created once from its options and the app's services.</typeparam>
    /// <typeparam name="TOptions">The target's options.</typeparam>
    /// <exception cref="ArgumentException">The name is not allowed or taken.</exception>
    public OutpostBuilder AddTarget<TTarget, TOptions>(
        string name, string setting, Action<TOptions, IConfiguration, OutpostOptions> read, Func<TOptions, bool> isSet, Action<TOptions>? configure = null)
        where TTarget : class, IForwardTarget
        where TOptions : class
    {
        var options = Services.AddOptions<TOptions>().Configure<IServiceProvider>((target, services) =>
        {
            if (services.GetService<IConfiguration>() is { } configuration)
                read(target, configuration, services.GetRequiredService<IOptions<OutpostOptions>>().Value);
        });
        if (configure is not null) options.Configure(configure);
        Services.AddSingleton(services => ActivatorUtilities.CreateInstance<TTarget>(services, services.GetRequiredService<IOptions<TOptions>>().Value));
        Services.AddSingleton(new TargetOfSetting(setting, name));
        return AddTarget(name, services => isSet(services.GetRequiredService<IOptions<TOptions>>().Value) ? services.GetRequiredService<TTarget>() : null);
    }

    /// <summary>
    /// Declares all events of this app. For every handler, an entry of any other type then counts as a failed attempt, and is parked
    /// in the end. So you notice a class that was renamed without an alias, and its events are not passed over.
    /// </summary>
    /// <exception cref="ArgumentException">Two types have the same name.</exception>
    public OutpostBuilder AddEvents(params Type[] types)
    {
        foreach (var type in types) _events.Add(type);
        _events.AreAll = true;
        return this;
    }

    /// <summary>Lets handlers of <typeparamref name="TNew"/> handle stored events of <typeparamref name="TOld"/> too.</summary>
    /// <param name="upcast">Converts an old event into a new one. It must be pure.</param>
    /// <exception cref="ArgumentException">Both types have the same name, or would become each other.</exception>
    public OutpostBuilder AddUpcast<TOld, TNew>(Func<TOld, TNew> upcast)
        where TOld : notnull
        where TNew : notnull
    {
        _events.Add(upcast);
        return this;
    }

    private OutpostBuilder AddHandler(Type handler, Type[] types, string name, TimeSpan within, Action<HandlerOptions>? configure)
    {
        if (types.Length == 0) throw new ArgumentException($"{handler} implements no IEventHandler<…>.", nameof(handler));
        var options = new HandlerOptions();
        configure?.Invoke(options);
        if (options.AttemptsMax < 1) throw new ArgumentException($"AttemptsMax: {options.AttemptsMax} is not allowed; 1 or more is.", nameof(configure));
        if (options.Timeout <= TimeSpan.Zero || options.Timeout > HandlerOptions.TimeoutMax)
            throw new ArgumentException($"Timeout: {options.Timeout} is not allowed; more than 0 and up to {HandlerOptions.TimeoutMax.TotalSeconds} seconds is.", nameof(configure));
        foreach (var type in types) _events.Add(type);
        Services.TryAddScoped(handler);
        return AddTarget(name, services => new HandlerTarget(
            Routes(handler, types, services.GetRequiredService<IOptions<OutpostOptions>>().Value),
            _events.IsUnknown,
            services.GetRequiredService<IServiceScopeFactory>(),
            options,
            services.GetRequiredService<TimeProvider>()), within);
    }

    private Dictionary<string, HandlerRoute> Routes(Type handler, Type[] types, OutpostOptions options) => types
        .SelectMany(type => _events.Readers(type, options.Json).Select(reader => (
            reader.Name,
            Route: new HandlerRoute(reader.Read, (Func<IServiceProvider?, object, EventEntry, CancellationToken, Task>)RouteMethod.MakeGenericMethod(handler, type).Invoke(null, [])!))))
        .ToDictionary(route => route.Name, route => route.Route);

    private static Func<IServiceProvider?, object, EventEntry, CancellationToken, Task> Route<THandler, TEvent>()
        where THandler : class, IEventHandler<TEvent> =>
        (services, payload, entry, stop) => services!.GetRequiredService<THandler>().HandleAsync((TEvent)payload, entry, stop);

    private static Type[] HandledBy(Type handler) =>
        [.. handler.GetInterfaces().Where(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEventHandler<>)).Select(type => type.GetGenericArguments()[0])];
}

/// <summary>A forwarder that is created when the app starts; null if a setting that it needs is left out.</summary>
internal sealed record ForwarderRegistration(string Name, Func<IServiceProvider, Forwarder?> Make);

/// <summary>A target that comes from a new scope for each delivery.</summary>
internal sealed class ScopedTarget(IServiceScopeFactory scopes, Func<IServiceProvider, IForwardTarget> target) : IForwardTarget
{
    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await target(scope.ServiceProvider).DeliverAsync(entries, replay, cancellationToken);
    }
}

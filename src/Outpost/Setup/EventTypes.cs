using System.Text.Json;

namespace Outpost;

/// <summary>The event types that an app declares, each with its own names, and the upcasts from older types to newer ones.</summary>
internal sealed class EventTypes
{
    private readonly Dictionary<string, Type> _byName = new(StringComparer.Ordinal);
    private readonly List<Upcast> _upcasts = [];

    /// <summary>Whether the app has declared all its types, so that an entry of another type is not passed over.</summary>
    public bool AreAll { get; set; }

    /// <exception cref="ArgumentException">Another type has one of the names.</exception>
    public void Add(Type type)
    {
        foreach (var name in EventName.AllOf(type))
        {
            if (!_byName.TryAdd(name, type) && _byName[name] != type)
                throw new ArgumentException($"The event name '{name}' belongs to {_byName[name]} and to {type}: give one of them a name of its own with [EventName].", nameof(type));
        }
    }

    public void Add<TOld, TNew>(Func<TOld, TNew> upcast)
        where TOld : notnull
        where TNew : notnull
    {
        Add(typeof(TOld));
        Add(typeof(TNew));
        if (Leads(typeof(TNew), typeof(TOld))) throw new ArgumentException($"{typeof(TOld)} and {typeof(TNew)} would become each other.", nameof(upcast));
        _upcasts.Add(new Upcast(typeof(TOld), typeof(TNew), old => upcast((TOld)old)));
    }

    public bool IsUnknown(string name) => AreAll && !_byName.ContainsKey(name);

    /// <summary>The stored names of payloads that are, or become, <paramref name="type"/>, and how each is read.</summary>
    /// <exception cref="NotSupportedException">The serializer does not know a type.</exception>
    public IEnumerable<(string Name, Func<ReadOnlyMemory<byte>, object?> Read)> Readers(Type type, JsonSerializerOptions options)
    {
        var json = options.GetTypeInfo(type);
        foreach (var name in EventName.AllOf(type)) yield return (name, payload => JsonSerializer.Deserialize(payload.Span, json));
        foreach (var upcast in _upcasts.Where(upcast => upcast.New == type))
        {
            foreach (var (name, read) in Readers(upcast.Old, options))
                yield return (name, payload => read(payload) is { } old ? upcast.Become(old) : null);
        }
    }

    private bool Leads(Type from, Type to) => from == to || _upcasts.Any(upcast => upcast.Old == from && Leads(upcast.New, to));

    private sealed record Upcast(Type Old, Type New, Func<object, object> Become);
}

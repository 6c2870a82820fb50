using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;

namespace Outpost;

/// <summary>
/// Declares the name under which events of a class are stored, so that you can rename the class. Without this attribute, the
/// stored name is that of the class.
/// </summary>
/// <param name="name">The stored name: 1 to <see cref="Limits.HeaderCharactersMax"/> characters. Never change it once events are stored.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class EventNameAttribute(string name) : Attribute
{
    /// <summary>The stored name, without the version.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// The version of the payload. From 2 on, it is part of the stored name, as in <c>OrderPlaced.v2</c>. Raise it for payloads that
    /// readers of the version before would not understand. Default 1.
    /// </summary>
    public int Version { get; init; } = 1;

    /// <summary>Other stored names with the same meaning and payload, such as earlier names of the class. Default none.</summary>
    public string[] Aliases { get; init; } = [];
}

/// <summary>The names under which event types are stored.</summary>
public static class EventName
{
    private static readonly ConcurrentDictionary<Type, string> Names = new();

    /// <summary>The name under which new events of a type are stored.</summary>
    /// <exception cref="ArgumentException">The declared name or version is not allowed.</exception>
    public static string Of(Type type) => Names.GetOrAdd(type, Read);

    /// <summary>Every name under which events of a type may be stored.</summary>
    internal static IEnumerable<string> AllOf(Type type) =>
        [Of(type), .. type.GetCustomAttribute<EventNameAttribute>(inherit: false)?.Aliases.Select(alias => Checked(alias, type)) ?? []];

    private static string Read(Type type)
    {
        if (type.GetCustomAttribute<EventNameAttribute>(inherit: false) is not { } declared) return Checked(type.Name, type);
        return declared.Version >= 1
            ? Checked(declared.Version == 1 ? declared.Name : string.Create(CultureInfo.InvariantCulture, $"{declared.Name}.v{declared.Version}"), type)
            : throw new ArgumentException($"{type}: the version {declared.Version} of its event name is not allowed; 1 or more is.", nameof(type));
    }

    private static string Checked(string name, Type type) => name is { Length: > 0 and <= Limits.HeaderCharactersMax }
        ? name
        : throw new ArgumentException($"{type}: the event name '{name}' is not allowed; 1 to {Limits.HeaderCharactersMax} characters are.", nameof(type));
}

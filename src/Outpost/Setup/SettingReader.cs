using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Outpost;

/// <summary>
/// Reads settings by the names that an environment has for them: <c>__</c> separates what a file of settings nests.
/// An empty value counts as left out. For whoever adds a target with settings of its own.
/// </summary>
/// <param name="configuration">The app's configuration.</param>
public sealed class SettingReader(IConfiguration configuration)
{
    /// <summary>The value as it is; null: it is left out.</summary>
    public string? OptionalText(string name) => configuration[Key(name)] is { Length: > 0 } value ? value : null;

    /// <summary>The value where it is allowed, or the default.</summary>
    /// <param name="name">The setting.</param>
    /// <param name="default">Its value where it is left out.</param>
    /// <param name="allowed">What is allowed, for people.</param>
    /// <param name="isAllowed">Whether a value is.</param>
    /// <exception cref="InvalidSettingException">It is not.</exception>
    public string Text(string name, string @default, string allowed, Func<string, bool> isAllowed)
    {
        var value = OptionalText(name) ?? @default;
        return isAllowed(value) ? value : throw new InvalidSettingException(name, value, allowed);
    }

    /// <summary>A whole number, or the default.</summary>
    /// <exception cref="InvalidSettingException">It is none from <paramref name="min"/> to <paramref name="max"/>.</exception>
    public int Number(string name, int @default, int min, int max)
    {
        if (OptionalText(name) is not { } value) return @default;
        // Number parsing passes over a NUL at the end.
        return value.All(char.IsAsciiDigit)
            && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new InvalidSettingException(name, value, string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"));
    }

    /// <summary>Whether anything is set in a group.</summary>
    /// <exception cref="InvalidSettingException">Something in it is none of <paramref name="names"/>: it would do nothing.</exception>
    internal bool AllowOnly(string group, params string[] names)
    {
        if (OptionalText(group) is not null) throw new InvalidSettingException($"{group}: is not allowed; it is a group and has {string.Join(", ", names)}.");
        var isSet = false;
        foreach (var section in configuration.GetSection(Key(group)).GetChildren().Where(HasValue))
        {
            isSet = true;
            if (!names.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
                throw new InvalidSettingException($"{group}__{section.Key}: is not allowed; {group} has {string.Join(", ", names)}.");
        }

        return isSet;
    }

    /// <summary>
    /// A service, by Azure Functions' convention: the name is either one connection string, or a group with an address and
    /// whose identity is used. Null: it is left out.
    /// </summary>
    /// <param name="name">The connection's name, such as <c>ServiceBus</c>.</param>
    /// <param name="address">The name of its address within the group, such as <c>fullyQualifiedNamespace</c>.</param>
    /// <param name="parse">Throws where a text is no connection string of the service.</param>
    /// <exception cref="InvalidSettingException">It is no connection string; its text is not shown.</exception>
    internal ServiceConnection? Connection(string name, string address, Action<string> parse)
    {
        if (OptionalText(name) is not { } text)
            return OptionalText($"{name}__{address}") is { } uri ? new ServiceConnection(null, uri, OptionalText($"{name}__clientId")) : null;
        try
        {
            // The text holds a key, and so may what the client library says about it: neither is shown.
            parse(text);
            return new ServiceConnection(text, null, null);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidSettingException($"{name}: this is no connection string (it is not shown, it may hold a key); copy it again, or set {name}__… for managed identity.");
        }
    }

    private static bool HasValue(IConfigurationSection section) => !string.IsNullOrEmpty(section.Value) || section.GetChildren().Any(HasValue);

    private static string Key(string name) => name.Replace("__", ":", StringComparison.Ordinal);
}

/// <summary>One service: a connection string, or its address and whose identity is used.</summary>
/// <param name="ConnectionString">Null for managed identity.</param>
/// <param name="Address">Service URI, or fully qualified namespace.</param>
/// <param name="ClientId">A user-assigned identity; null: the system-assigned one, or a developer's own sign-in.</param>
internal sealed record ServiceConnection(string? ConnectionString, string? Address, string? ClientId)
{
    /// <summary>The address; never the connection string, which may hold a key.</summary>
    public override string ToString() => Address ?? "(connection string)";
}

/// <summary>A setting stops the start.</summary>
public sealed class InvalidSettingException : OutpostException
{
    /// <summary>A setting is missing.</summary>
    public InvalidSettingException(string message)
        : base(message)
    {
    }

    /// <summary>A setting has a value that is not allowed.</summary>
    public InvalidSettingException(string name, string value, string allowed)
        : base($"{name}: {Shown(value)} is not allowed; {allowed} is.")
    {
    }

    // A key in the wrong setting must not end in a log: keys, tokens and connection strings are long, or hold one of these.
    private static string Shown(string value) => value.Length <= 60 && !value.AsSpan().ContainsAny("=;@?")
        ? $"'{value.ReplaceLineEndings(" ")}'"
        : $"this value of {value.Length} characters (not shown, it may hold a key)";
}

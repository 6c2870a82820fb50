using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Outpost;

/// <summary>
/// Reads settings by their names as environment variables, where <c>__</c> separates what a settings file nests. An empty value
/// counts as left out. Use it for a target with its own settings.
/// </summary>
/// <param name="configuration">The app's configuration.</param>
public sealed class SettingReader(IConfiguration configuration)
{
    /// <summary>The value as it is; null if the setting is left out.</summary>
    public string? OptionalText(string name) => configuration[Key(name)] is { Length: > 0 } value ? value : null;

    /// <summary>The value of a setting, or the default.</summary>
    /// <param name="name">Name of the setting.</param>
    /// <param name="default">The value if the setting is left out.</param>
    /// <param name="allowed">What is allowed, in words for the error message.</param>
    /// <param name="isAllowed">Whether a value is allowed.</param>
    /// <exception cref="InvalidSettingException">The value is not allowed.</exception>
    public string Text(string name, string @default, string allowed, Func<string, bool> isAllowed)
    {
        var value = OptionalText(name) ?? @default;
        return isAllowed(value) ? value : throw new InvalidSettingException(name, value, allowed);
    }

    /// <summary>A whole number, or the default.</summary>
    /// <exception cref="InvalidSettingException">The value is not a whole number from <paramref name="min"/> to <paramref name="max"/>.</exception>
    public int Number(string name, int @default, int min, int max)
    {
        if (OptionalText(name) is not { } value) return @default;
        // Number parsing would accept a NUL at the end.
        return value.All(char.IsAsciiDigit)
            && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new InvalidSettingException(name, value, string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"));
    }

    /// <summary>Whether anything is set in a group.</summary>
    /// <exception cref="InvalidSettingException">A setting in the group is not one of <paramref name="names"/>, so it would do nothing.</exception>
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
    /// A service, by the convention of Azure Functions: the name is either that of one connection string, or that of a group with an
    /// address and an identity. Null if it is left out.
    /// </summary>
    /// <param name="name">The connection's name, such as <c>ServiceBus</c>.</param>
    /// <param name="address">The name of its address within the group, such as <c>fullyQualifiedNamespace</c>.</param>
    /// <param name="parse">Throws if a text is not a connection string of the service.</param>
    /// <exception cref="InvalidSettingException">The value is not a connection string. The message does not show it.</exception>
    internal ServiceConnection? Connection(string name, string address, Action<string> parse)
    {
        if (OptionalText(name) is not { } text)
            return OptionalText($"{name}__{address}") is { } uri ? new ServiceConnection(null, uri, OptionalText($"{name}__clientId")) : null;
        try
        {
            // The text holds a key, and the client library's message may hold it too. Neither is shown.
            parse(text);
            return new ServiceConnection(text, null, null);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidSettingException($"{name}: this is no connection string (it is not shown, because it may hold a key); copy it again, or set {name}__… for managed identity.");
        }
    }

    private static bool HasValue(IConfigurationSection section) => !string.IsNullOrEmpty(section.Value) || section.GetChildren().Any(HasValue);

    private static string Key(string name) => name.Replace("__", ":", StringComparison.Ordinal);
}

/// <summary>One service: a connection string, or an address and an identity.</summary>
/// <param name="ConnectionString">Connection string; null for managed identity.</param>
/// <param name="Address">Service URI, or fully qualified namespace.</param>
/// <param name="ClientId">Client id of a user-assigned identity. If null, the system-assigned one, or the sign-in of a developer.</param>
internal sealed record ServiceConnection(string? ConnectionString, string? Address, string? ClientId)
{
    /// <summary>The address; never the connection string, which may hold a key.</summary>
    public override string ToString() => Address ?? "(connection string)";
}

/// <summary>A setting is missing, or has a value that is not allowed. It stops the start of the app.</summary>
public sealed class InvalidSettingException : OutpostException
{
    /// <summary>Creates an exception with a message of your own.</summary>
    public InvalidSettingException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an exception for a value that is not allowed. The message hides a value that may hold a key.</summary>
    public InvalidSettingException(string name, string value, string allowed)
        : base($"{name}: {Shown(value)} is not allowed; {allowed} is.")
    {
    }

    // A key in the wrong setting must not end up in a log. Keys, tokens and connection strings are long, or hold one of these characters.
    private static string Shown(string value) => value.Length <= 60 && !value.AsSpan().ContainsAny("=;@?")
        ? $"'{value.ReplaceLineEndings(" ")}'"
        : $"this value of {value.Length} characters (not shown, it may hold a key)";
}

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>
/// The parts of <c>Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…;UseDevelopmentEmulator=true;</c>.
/// </summary>
internal sealed record EmulatorConnectionString(Uri Endpoint, string KeyName, string Key, string? EntityPath)
{
    private const int AmqpPort = 5672;

    public static EmulatorConnectionString Parse(string connectionString)
    {
        ArgumentException.ThrowIfNullOrEmpty(connectionString);
        var parts = Split(connectionString);
        if (!bool.TryParse(parts.GetValueOrDefault("UseDevelopmentEmulator"), out var emulator) || !emulator)
        {
            throw NeedsRealPackage("a connection string without UseDevelopmentEmulator=true");
        }

        if (!parts.TryGetValue("Endpoint", out var text) || !Uri.TryCreate(text, UriKind.Absolute, out var endpoint))
        {
            throw new ArgumentException("The connection string has no valid Endpoint.", nameof(connectionString));
        }

        if (!parts.TryGetValue("SharedAccessKeyName", out var keyName) || !parts.TryGetValue("SharedAccessKey", out var key))
        {
            throw new ArgumentException(
                "The connection string has no SharedAccessKeyName and SharedAccessKey.", nameof(connectionString));
        }

        var address = new UriBuilder(Uri.UriSchemeHttp, endpoint.Host, endpoint.IsDefaultPort ? AmqpPort : endpoint.Port);
        return new EmulatorConnectionString(address.Uri, keyName, key, parts.GetValueOrDefault("EntityPath"));
    }

    public static NotSupportedException NeedsRealPackage(string what) => new(
        $"Service Bus with {what} needs the real package Azure.Messaging.ServiceBus 7.20.2; "
        + "this build uses a stand-in that only talks to the local emulator.");

    private static Dictionary<string, string> Split(string connectionString)
    {
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in connectionString.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new FormatException("The connection string is not made of Name=Value pairs.");
            parts[part[..equals].Trim()] = part[(equals + 1)..].Trim();
        }

        return parts;
    }
}

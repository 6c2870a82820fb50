using System.Diagnostics.CodeAnalysis;
using Azure.Core.Pipeline;

namespace Azure.Data.Tables.Internal;

/// <summary>
/// A storage connection string: the development store, an account with key and, unless it is in the public cloud, a table endpoint or endpoint suffix,
/// or a table endpoint with a shared access signature.
/// </summary>
internal sealed record ConnectionString(Uri Endpoint, TableSharedKeyCredential? Key, string? AccountName)
{
    private const string DevelopmentAccount = "devstoreaccount1";

    // Not a secret: the key every installation of the storage emulator documents and uses.
    private const string DevelopmentKey =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    public HttpPipelinePolicy? Authentication =>
        Key is null ? Internal.Endpoint.Signature(Endpoint, null) : Internal.Endpoint.SharedKey(Key);

    public static ConnectionString Parse(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var settings = Settings(text);

        // Trap: "True" is not the development store. And with a proxy only scheme and host are taken from it; the
        // port stays 10002.
        if (settings.TryGetValue("UseDevelopmentStorage", out var use) && use == "true")
        {
            var proxy = settings.TryGetValue("DevelopmentStorageProxyUri", out var uri) ? new Uri(uri) : null;
            return Development(proxy?.Scheme ?? "http", proxy?.Host ?? "127.0.0.1");
        }
        if (Filled(settings, "AccountName", out var name) && Filled(settings, "AccountKey", out var key))
            return new(KeyEndpoint(settings, name), new TableSharedKeyCredential(name, key), name);
        if (Filled(settings, "TableEndpoint", out var table) && Uri.IsWellFormedUriString(table, UriKind.Absolute) &&
            Filled(settings, "SharedAccessSignature", out var signature))
            return new(new UriBuilder(table) { Query = signature.TrimStart('?') }.Uri, null, null);
        throw new ArgumentException("Connection string parsing error");
    }

    private static ConnectionString Development(string scheme, string host) => new(
        new Uri($"{scheme}://{host}:10002/{DevelopmentAccount}"),
        new TableSharedKeyCredential(DevelopmentAccount, DevelopmentKey),
        DevelopmentAccount);

    private static Uri KeyEndpoint(Dictionary<string, string> settings, string account)
    {
        if (Filled(settings, "TableEndpoint", out var endpoint))
            return new Uri(endpoint);
        var scheme = Filled(settings, "DefaultEndpointsProtocol", out var protocol) ? protocol : "https";
        var suffix = Filled(settings, "EndpointSuffix", out var given) ? given : "core.windows.net";
        return new Uri($"{scheme}://{account}.table.{suffix}");
    }

    private static bool Filled(
        Dictionary<string, string> settings, string key, [NotNullWhen(true)] out string? value) =>
        settings.TryGetValue(key, out value) && value.Length > 0;

    private static Dictionary<string, string> Settings(string text)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new InvalidOperationException($"Connection string doesn't have value for keyword '{part}'.");
            if (!settings.TryAdd(part[..equals].Trim(), part[(equals + 1)..].Trim()))
                throw new InvalidOperationException($"Duplicate keyword '{part[..equals].Trim()}'");
        }
        return settings;
    }
}

using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Outpost.LocalHost;

/// <summary>
/// Keeps a host without keys to its own machine. It listens at no other address, and no page of another site reaches it
/// through a name of that site's (rebinding) or through a visitor's browser.
/// </summary>
internal static class LoopbackGuard
{
    private static readonly string[] Names = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>Refuses a start with another address to listen at.</summary>
    public static void CheckAddresses(IConfiguration configuration)
    {
        foreach (var setting in (string[])["URLS", "ASPNETCORE_URLS", "DOTNET_URLS"])
        {
            var urls = configuration[setting] ?? "";
            var foreign = urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .FirstOrDefault(url => !IsLoopback(url));
            if (foreign is not null)
            {
                throw new StartException(
                    $"{setting} is '{urls}': this host listens at 127.0.0.1 only (--port sets the port).");
            }
        }
    }

    /// <summary>Whether the request is for a name of this machine.</summary>
    public static bool IsForThisMachine(HttpRequest request) => Names.Contains(request.Host.Host, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a page of another origin sent the request.</summary>
    public static bool IsForeign(HttpRequest request)
    {
        var origins = request.Headers.Origin;
        return origins.Count > 0 && (origins.Count > 1 || !IsOwn(origins[0], request));
    }

    private static bool IsOwn(string? origin, HttpRequest request) =>
        string.Equals(origin, $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);

    private static bool IsLoopback(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && (uri.Host == "localhost"
            || (IPAddress.TryParse(uri.Host, out var address) && IPAddress.IsLoopback(address)));
}

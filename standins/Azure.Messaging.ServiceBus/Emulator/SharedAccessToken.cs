using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>The SharedAccessSignature of one entity, signed anew before it expires.</summary>
internal sealed class SharedAccessToken(Uri entity, string keyName, string key)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromMinutes(5);
    private volatile Signed? _current;

    public string HeaderValue
    {
        get
        {
            var now = DateTimeOffset.UtcNow;
            var current = _current;
            if (current is null || current.Expires - now < RenewBefore) _current = current = Sign(now + Lifetime);
            return current.Header;
        }
    }

    private Signed Sign(DateTimeOffset expires)
    {
#pragma warning disable CA1308 // the service signs the lower-case form
        var resource = Uri.EscapeDataString(entity.AbsoluteUri.ToLowerInvariant());
#pragma warning restore CA1308
        var expiry = expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var hash = HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{resource}\n{expiry}"));
        var signature = Uri.EscapeDataString(Convert.ToBase64String(hash));
        return new Signed(
            $"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={Uri.EscapeDataString(keyName)}", expires);
    }

    private sealed record Signed(string Header, DateTimeOffset Expires);
}

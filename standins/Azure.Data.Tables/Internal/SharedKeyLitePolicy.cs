using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Azure.Data.Tables.Internal;

/// <summary>Signs each try anew (the date is part of it) in the SharedKeyLite form of the table service.</summary>
internal sealed class SharedKeyLitePolicy(TableSharedKeyCredential credential) : HttpPipelineSynchronousPolicy
{
    public override void OnSendingRequest(HttpMessage message)
    {
        var date = DateTimeOffset.UtcNow.ToString("r", CultureInfo.InvariantCulture);
        var uri = message.Request.Uri.ToUri();
        var resource = Comp(uri.Query) is { } comp ? $"{uri.AbsolutePath}?comp={comp}" : uri.AbsolutePath;
        var text = Encoding.UTF8.GetBytes($"{date}\n/{credential.AccountName}{resource}");
        var signature = Convert.ToBase64String(HMACSHA256.HashData(credential.Key, text));
        message.Request.Headers.SetValue("x-ms-date", date);
        message.Request.Headers.SetValue("Authorization", $"SharedKeyLite {credential.AccountName}:{signature}");
    }

    private static string? Comp(string query)
    {
        foreach (var part in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.StartsWith("comp=", StringComparison.OrdinalIgnoreCase))
                return Uri.UnescapeDataString(part["comp=".Length..]);
        }
        return null;
    }
}

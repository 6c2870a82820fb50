using Azure.Core;
using Azure.Core.Pipeline;

namespace Azure.Data.Tables.Internal;

/// <summary>Adds the shared access signature to the address; a changed one counts from the next try on.</summary>
internal sealed class SasPolicy(AzureSasCredential credential) : HttpPipelineSynchronousPolicy
{
    public override void OnSendingRequest(HttpMessage message)
    {
        var signature = credential.Signature.TrimStart('?');
        var query = message.Request.Uri.Query ?? "";
        if (query.Contains(signature, StringComparison.Ordinal))
            return;
        message.Request.Uri.Query = query.Length > 1 ? $"{query}&{signature}" : "?" + signature;
    }
}

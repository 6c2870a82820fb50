using Azure.Core;
using Azure.Identity;

namespace Outpost;

/// <summary>Compiled into each package that goes to an Azure service.</summary>
internal static class AzureIdentity
{
    /// <summary>A user-assigned identity; null: the app's own, or a developer's sign-in.</summary>
    public static TokenCredential Of(string? clientId) => clientId is null
        ? new DefaultAzureCredential()
        : new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId));
}

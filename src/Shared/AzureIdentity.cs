using Azure.Core;
using Azure.Identity;

namespace Outpost;

/// <summary>Makes credentials. It is compiled into each package that calls an Azure service.</summary>
internal static class AzureIdentity
{
    /// <summary>The user-assigned identity of this client id; null: the app's own identity, or a developer's sign-in.</summary>
    public static TokenCredential Of(string? clientId) => clientId is null
        ? new DefaultAzureCredential()
        : new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId));
}

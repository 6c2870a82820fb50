using Azure.Core;
using Confluent.Kafka;

namespace Outpost.Kafka;

/// <summary>Gets a token of an identity for Event Hubs whenever the client asks for one.</summary>
internal sealed class Tokens(TokenCredential credential, string fullyQualifiedNamespace)
{
    // The client asks again after ten seconds.
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <summary>Returns at once: the client delivers answers on the same thread.</summary>
    public void Refresh(IClient client) => _ = RefreshAsync(
        (token, expires) => client.OAuthBearerSetToken(token, expires.ToUnixTimeMilliseconds(), "outpost"),
        client.OAuthBearerSetTokenFailure);

    /// <summary>Gets one, and hands it over, or why there is none.</summary>
    public async Task RefreshAsync(Action<string, DateTimeOffset> set, Action<string> fail)
    {
        try
        {
            using var deadline = new CancellationTokenSource(Within);
            var token = await credential.GetTokenAsync(new TokenRequestContext([$"https://{fullyQualifiedNamespace}/.default"]), deadline.Token);
            set(token.Token, token.ExpiresOn);
        }
#pragma warning disable CA1031 // Whatever it is, the client has to be told, and asks again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            try
            {
                fail(e.Message);
            }
            catch (ObjectDisposedException)
            {
                // The client is gone meanwhile.
            }
        }
    }
}

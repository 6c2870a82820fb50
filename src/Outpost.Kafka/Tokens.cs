using Azure.Core;
using Confluent.Kafka;

namespace Outpost.Kafka;

/// <summary>Gets the identity's token for Event Hubs whenever the client asks for one.</summary>
internal sealed class Tokens(TokenCredential credential, string fullyQualifiedNamespace)
{
    // After a failure the client asks again in ten seconds.
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    /// <summary>Starts a refresh and returns at once, because the client delivers answers on the calling thread.</summary>
    public void Refresh(IClient client) => _ = RefreshAsync(
        (token, expires) => client.OAuthBearerSetToken(token, expires.ToUnixTimeMilliseconds(), "outpost"),
        client.OAuthBearerSetTokenFailure);

    /// <summary>Gets a token and passes it to the client, or passes the reason why there is none.</summary>
    public async Task RefreshAsync(Action<string, DateTimeOffset> set, Action<string> fail)
    {
        try
        {
            using var deadline = new CancellationTokenSource(Within);
            var token = await credential.GetTokenAsync(new TokenRequestContext([$"https://{fullyQualifiedNamespace}/.default"]), deadline.Token);
            set(token.Token, token.ExpiresOn);
        }
#pragma warning disable CA1031 // The client has to hear of every failure, and then asks again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            try
            {
                fail(e.Message);
            }
            catch (ObjectDisposedException)
            {
                // The client was disposed meanwhile.
            }
        }
    }
}

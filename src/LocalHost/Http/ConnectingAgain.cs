using System.Net.Sockets;

namespace Outpost.LocalHost;

/// <summary>
/// Retries refused connections. A worker announces its address a moment before it listens there. When a connection is
/// refused, nothing of the request was sent yet.
/// </summary>
internal sealed class ConnectingAgain(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    // Together two and a half seconds. A worker that has announced itself listens within milliseconds.
    private const int TriesMax = 25;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException e) when (attempt < TriesMax && e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                await Task.Delay(Between, cancellationToken);
            }
        }
    }
}

using System.Net.Sockets;

namespace Outpost.LocalHost;

/// <summary>
/// A worker says where it takes requests a moment before it does. A refused connection is tried again; nothing of the
/// request has been sent then.
/// </summary>
internal sealed class ConnectingAgain(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    // Two seconds and a half: a worker that has announced itself listens within milliseconds.
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

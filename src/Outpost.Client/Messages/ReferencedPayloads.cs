using System.Net;

namespace Outpost.Client;

/// <summary>
/// Reads payloads that were too large for a broker. A message may name any URL, so only those of the configured app are
/// read.
/// </summary>
internal sealed class ReferencedPayloads(Uri? address, string? key)
{
    // A connection must not outlive a change of the server's DNS name for long.
    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2), AllowAutoRedirect = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        // More than a log can hold of one event.
        MaxResponseContentBufferSize = 2 * 1024 * 1024,
    };

    /// <exception cref="PoisonMessageException">The payload is at another address, or deleted.</exception>
    /// <exception cref="HttpRequestException">The app did not answer, or answered another error.</exception>
    public async Task<byte[]> ReadAsync(Uri reference, CancellationToken cancellationToken)
    {
        // The message is not poison: it waits until somebody sets the address.
        if (address is null) throw new IOException($"The payload is at {reference}, and no Address is set to read it from.");
        if (!new Uri($"{address.ToString().TrimEnd('/')}/").IsBaseOf(reference)) throw new PoisonMessageException($"The payload is at {reference}, not below {address}.");
        using var request = new HttpRequestMessage(HttpMethod.Get, reference);
        if (key is not null) request.Headers.Add("x-functions-key", key);
        using var answer = await Http.SendAsync(request, cancellationToken);
        if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone) throw new PoisonMessageException($"The payload at {reference} is gone.");
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsByteArrayAsync(cancellationToken);
    }
}

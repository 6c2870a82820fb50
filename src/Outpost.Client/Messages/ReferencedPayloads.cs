using System.Net;

namespace Outpost.Client;

/// <summary>Reads payloads that were too large for a broker, from the app that they come from alone: a message may name any URL.</summary>
internal sealed class ReferencedPayloads(Uri? address, string? key)
{
    // A moved name is noticed.
    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2), AllowAutoRedirect = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        // What a log can hold of one event.
        MaxResponseContentBufferSize = 2 * 1024 * 1024,
    };

    /// <exception cref="PoisonMessageException">It is elsewhere, or gone.</exception>
    /// <exception cref="HttpRequestException">There was no answer, or another one.</exception>
    public async Task<byte[]> ReadAsync(Uri reference, CancellationToken cancellationToken)
    {
        // Not as poison: it waits for whoever sets it.
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

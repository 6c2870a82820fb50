using System.Net;
using System.Net.Http.Headers;
using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Client;

/// <summary>The event API itself behind an HttpClient, without a network.</summary>
internal sealed class FeedServer(SimulatedLog log) : HttpMessageHandler
{
    private readonly EventApi _events = new(log.Store, log.Watch, new EventApiOptions(TimeSpan.FromDays(1)));
    private readonly PartitionApi _partitions = new(log.Store);

    /// <summary>Told of each request before it is answered.</summary>
    public Action<string>? Asked { get; init; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Asked?.Invoke(request.RequestUri!.PathAndQuery);
        var asked = Request(request.RequestUri!.PathAndQuery, ("Accept", request.Headers.Accept.ToString()));
        var result = asked.Path == "/api/partitions"
            ? await _partitions.ListAsync(asked, cancellationToken)
            : await _events.ReadAsync(asked, cancellationToken);
        var answer = await AnswerAsync(asked, result);
        var response = new HttpResponseMessage((HttpStatusCode)answer.Status) { Content = new ByteArrayContent(answer.Body) };
        foreach (var (name, value) in answer.Headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value.ToString()) && name == "Content-Type")
                response.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(value.ToString());
        }

        return response;
    }
}

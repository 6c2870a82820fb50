using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Outpost.Client;

/// <summary>A failure that another try may cure: the server is busy, down, or too slow.</summary>
internal sealed class UnavailableException(string message, TimeSpan? retryAfter = null, Exception? innerException = null)
    : Exception(message, innerException)
{
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>The checked answer to a request for a page.</summary>
internal sealed record PageAnswer(IReadOnlyList<FeedEntry> Entries, FeedPosition Next, long? Head, long? Partitions, TimeSpan? RetryAfter);

/// <summary>The log and its partitions.</summary>
/// <param name="Log">The log's id.</param>
/// <param name="CreatedWith">
/// How many partitions the log was created with. Partitions with higher numbers came when it grew.
/// </param>
/// <param name="Partitions">Its partitions, by number.</param>
internal sealed record LogAnswer(string Log, int CreatedWith, IReadOnlyList<PartitionAnswer> Partitions);

/// <summary>Where a partition begins and ends.</summary>
internal sealed record PartitionAnswer(int Partition, long Oldest, long Head);

/// <summary>The two requests that a reader makes, and what their answers mean.</summary>
internal sealed class FeedRequests(HttpClient http, TimeProvider time, FeedReaderOptions options)
{
    /// <summary>
    /// A page is at most 4 MiB, unless one entry alone is larger: an entry is at most 1 MiB, and six times that when
    /// JSON escapes all of it.
    /// </summary>
    internal const int AnswerBytesMax = 16 * 1024 * 1024;

    private readonly string _query = string.Create(CultureInfo.InvariantCulture, $"&limit={options.Limit}&wait={(int)options.Wait.TotalSeconds}")
        + (options.Types.Count == 0 ? "" : "&types=" + Uri.EscapeDataString(string.Join(',', options.Types)));

    // An entry may be deleted between any answer and the first page read from it. This age makes that only a little more likely.
    private static readonly TimeSpan RecentMax = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task<LogAnswer>? _asked;
    private long _askedAt;

    /// <summary>Asks the server for the partitions now.</summary>
    public Task<LogAnswer> PartitionsAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _askedAt = time.GetTimestamp();
            return _asked = AskForPartitionsAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Shares an answer that is a few seconds old at most, or the one that is on its way: each answer is about all
    /// partitions. All callers pass the token of the reader that they belong to, so sharing one request is safe.
    /// </summary>
    public Task<LogAnswer> RecentPartitionsAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var isOfUse = _asked is { IsFaulted: false, IsCanceled: false } && time.GetElapsedTime(_askedAt) < RecentMax;
            return isOfUse ? _asked! : PartitionsAsync(cancellationToken);
        }
    }

    private async Task<LogAnswer> AskForPartitionsAsync(CancellationToken cancellationToken)
    {
        var answer = await GetAsync("api/partitions", TimeSpan.Zero, cancellationToken);
        if (answer.Status != HttpStatusCode.OK) throw Refused(answer, null);
        return FeedJson.Partitions(answer.Body);
    }

    public async Task<PageAnswer> PageAsync(FeedPosition position, CancellationToken cancellationToken)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"api/events?partition={position.Partition}&offset={position.Offset}{_query}");
        var answer = await GetAsync(address, options.Wait, cancellationToken);
        if (answer.Status != HttpStatusCode.OK) throw Refused(answer, position);
        // The entity tag names the log even where the page has no entry to name it.
        if (answer.Headers.ETag?.Tag is not { } tag || Number(answer, "Next-Offset") is not { } next)
            throw new FeedException(FeedFailure.InvalidAnswer, $"The answer to {address} has no ETag or no Next-Offset.") { Position = position };
        var entries = FeedJson.Entries(answer.Body, position, next, isFiltered: options.Types.Count > 0);
        if (!tag.Contains(position.Log, StringComparison.Ordinal)) throw FeedException.OtherLog(position, now: null);
        return new PageAnswer(entries, position with { Offset = next }, Number(answer, "Outpost-Head"), Number(answer, "Outpost-Partitions"), RetryAfter(answer.Headers));
    }

    private async Task<Answer> GetAsync(string address, TimeSpan wait, CancellationToken cancellationToken)
    {
        var within = wait + options.RequestTimeout;
        using var timeout = new CancellationTokenSource(within, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, UriKind.Relative));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var body = await ReadAsync(response.Content, address, either.Token);
            if (response.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)response.StatusCode >= 500)
                throw new UnavailableException($"The server answered {(int)response.StatusCode}: {Detail(body)}", RetryAfter(response.Headers));
            return new Answer(response.StatusCode, response.Headers, body);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UnavailableException($"The server did not answer {address} in time (at most {within.TotalSeconds} s).", innerException: e);
        }
    }

    private static async Task<byte[]> ReadAsync(HttpContent content, string address, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (body.Length + read > AnswerBytesMax)
                throw new FeedException(FeedFailure.InvalidAnswer, $"The answer to {address} is larger than any page: more than {AnswerBytesMax} bytes.");
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    private static FeedException Refused(Answer answer, FeedPosition? position)
    {
        var problem = FeedJson.Problem(answer.Body);
        var failure = (answer.Status, problem.Name) switch
        {
            (HttpStatusCode.Gone, "offset-expired") => FeedFailure.Expired,
            (HttpStatusCode.BadRequest, "offset-beyond-head") => FeedFailure.BeyondHead,
            _ => FeedFailure.Refused,
        };
        return new FeedException(failure, $"The server answered {(int)answer.Status}: {Detail(answer.Body)}")
        {
            Position = position,
            Log = failure == FeedFailure.Refused ? null : position?.Log,
            OldestOffset = problem.Oldest,
            HeadOffset = problem.Head,
            StatusCode = answer.Status,
        };
    }

    private static string Detail(byte[] body) => FeedJson.Problem(body).Detail ?? "(no detail)";

    private static long? Number(Answer answer, string header) =>
        answer.Headers.TryGetValues(header, out var values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private TimeSpan? RetryAfter(HttpResponseHeaders headers) =>
        headers.RetryAfter?.Delta ?? (headers.RetryAfter?.Date - time.GetUtcNow());

    private sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, byte[] Body);
}

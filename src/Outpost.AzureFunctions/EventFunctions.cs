using System.ComponentModel;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>The log over HTTP.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class EventFunctions(IServiceProvider services)
{
    /// <summary>Entries by offset.</summary>
    [Function("ReadEvents")]
    public Task<IResult> ReadAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "events")] HttpRequest request,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<EventApi>(request, api => api.ReadAsync(request, cancellationToken), cancellationToken);

    /// <summary>The log in the format of HTTP Feeds, where it has one partition.</summary>
    [Function("ReadFeed")]
    public Task<IResult> FeedAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "feed")] HttpRequest request, CancellationToken cancellationToken) =>
        services.AnswerAsync<EventApi>(request, api => api.FeedAsync(request, partition: null, cancellationToken), cancellationToken);

    /// <summary>One partition in the format of HTTP Feeds.</summary>
    [Function("ReadPartitionFeed")]
    public Task<IResult> PartitionFeedAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "feed/{partition}")] HttpRequest request,
        string partition,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<EventApi>(request, api => api.FeedAsync(request, partition, cancellationToken), cancellationToken);

    /// <summary>One entry.</summary>
    [Function("ReadEvent")]
    public Task<IResult> ReadOneAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "events/{id}")] HttpRequest request,
        string id,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<EventApi>(request, api => api.EntryAsync(request, id, cancellationToken), cancellationToken);

    /// <summary>One entry's payload, as it is stored.</summary>
    [Function("ReadEventData")]
    public Task<IResult> ReadDataAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "events/{id}/data")] HttpRequest request,
        string id,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<EventApi>(request, api => api.DataAsync(request, id, cancellationToken), cancellationToken);

    /// <summary>The oldest offset and the head of each partition.</summary>
    [Function("ReadPartitions")]
    public Task<IResult> PartitionsAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "partitions")] HttpRequest request,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<PartitionApi>(request, partitions => partitions.ListAsync(request, cancellationToken), cancellationToken);

    /// <summary>The offset at a time.</summary>
    [Function("ReadOffsetAt")]
    public Task<IResult> OffsetAtAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "partitions/{partition}/offset-at")] HttpRequest request,
        string partition,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<PartitionApi>(request, partitions => partitions.OffsetAtAsync(request, partition, cancellationToken), cancellationToken);
}

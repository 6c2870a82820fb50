using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Outpost.AspNetCore;

namespace Outpost;

/// <summary>Outpost's routes in an ASP.NET Core app. A function app has functions in their place.</summary>
public sealed class OutpostRoutes
{
    internal OutpostRoutes(IEndpointConventionBuilder feed, IEndpointConventionBuilder operations) => (Feed, Operations) = (feed, operations);

    /// <summary>The routes for readers: events, partitions and the feed.</summary>
    public IEndpointConventionBuilder Feed { get; }

    /// <summary>The routes for operators.</summary>
    public IEndpointConventionBuilder Operations { get; }
}

/// <summary>Maps Outpost's routes.</summary>
public static class OutpostEndpoints
{
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] Post = [HttpMethods.Post];
    private static readonly string[] Delete = [HttpMethods.Delete];

    /// <summary>
    /// Maps the event API, operations, health, the dashboard and OpenAPI below <c>/api</c>. Outside the Development
    /// environment, feed and operations answer 403 until the app says who may use them: with
    /// <c>RequireAuthorization</c>, or with <c>AllowAnonymous</c> where something before the app protects them. Health,
    /// the dashboard (a page without data), OpenAPI and the pages about problems are for everybody.
    /// </summary>
    public static OutpostRoutes MapOutpost(this IEndpointRouteBuilder app)
    {
        var api = app.MapGroup("/api").ExcludeFromDescription();
        MapOpen(api);
        var isOpen = app.ServiceProvider.GetRequiredService<IHostEnvironment>().IsDevelopment();
        var (feed, operations) = (api.MapGroup(""), api.MapGroup(""));
        MapFeed(feed);
        MapOperations(operations);
        if (isOpen) return new OutpostRoutes(feed, operations);
        foreach (IEndpointConventionBuilder group in new[] { feed, operations }) group.Finally(Protect);
        return new OutpostRoutes(feed, operations);
    }

    private static void MapOpen(RouteGroupBuilder api)
    {
        api.MapMethods("health", Read, (HttpRequest request, HealthApi health, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => health.HealthAsync(request, stop), stop));
        api.MapMethods("dashboard", Read, (HttpRequest request, DashboardPage page, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => Task.FromResult<IResult>(page), stop));
        api.MapMethods("openapi.json", Read, (HttpRequest request, OpenApiDocument document, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => Task.FromResult(document.Answer()), stop));
        api.MapMethods("problems/{name}", Read, (HttpRequest request, string name, ProblemPages pages, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => Task.FromResult(pages.Answer(name)), stop));
    }

    private static void MapFeed(RouteGroupBuilder feed)
    {
        feed.MapMethods("events", Read, (HttpRequest request, EventApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.ReadAsync(request, stop), stop));
        feed.MapMethods("feed", Read, (HttpRequest request, EventApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.FeedAsync(request, partition: null, stop), stop));
        feed.MapMethods("feed/{partition}", Read, (HttpRequest request, string partition, EventApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.FeedAsync(request, partition, stop), stop));
        feed.MapMethods("events/{id}", Read, (HttpRequest request, string id, EventApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.EntryAsync(request, id, stop), stop));
        feed.MapMethods("events/{id}/data", Read, (HttpRequest request, string id, EventApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.DataAsync(request, id, stop), stop));
        feed.MapMethods("partitions", Read, (HttpRequest request, PartitionApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.ListAsync(request, stop), stop));
        feed.MapMethods("partitions/{partition}/offset-at", Read, (HttpRequest request, string partition, PartitionApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.OffsetAtAsync(request, partition, stop), stop));
    }

    internal static void MapOperations(RouteGroupBuilder operations)
    {
        operations.MapMethods("status", Read, (HttpRequest request, OperationsApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.StatusAsync(request, stop), stop));
        operations.MapMethods("forwarders/{name}/parked", Read, (HttpRequest request, string name, OperationsApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.ParkedAsync(request, name, stop), stop));
        operations.MapMethods("forwarders/{name}/history", Read, (HttpRequest request, string name, OperationsApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => api.HistoryAsync(request, name, stop), stop));
        Act(operations, Post, "forward", (api, request, _, stop) => api.ForwardAsync(request, stop));
        Act(operations, Post, "forwarders/{name}/pause", (api, request, value, stop) => api.PauseAsync(request, value("name"), isPaused: true, stop));
        Act(operations, Post, "forwarders/{name}/resume", (api, request, value, stop) => api.PauseAsync(request, value("name"), isPaused: false, stop));
        Act(operations, Post, "forwarders/{name}/replay", (api, request, value, stop) => api.ReplayAsync(request, value("name"), stop));
        Act(operations, Post, "forwarders/{name}/skip", (api, request, value, stop) => api.SkipAsync(request, value("name"), stop));
        Act(operations, Post, "forwarders/{name}/parked/retry", (api, request, value, stop) => api.UnparkAsync(request, value("name"), isDiscard: false, stop));
        Act(operations, Post, "forwarders/{name}/parked/discard", (api, request, value, stop) => api.UnparkAsync(request, value("name"), isDiscard: true, stop));
        Act(operations, Post, "forwarders/{name}/parked/{partition}/{offset}/retry", (api, request, value, stop) => api.RetryAsync(request, value("name"), value("partition"), value("offset"), stop));
        Act(operations, Post, "forwarders/{name}/parked/{partition}/{offset}/discard", (api, request, value, stop) => api.DiscardAsync(request, value("name"), value("partition"), value("offset"), stop));
        Act(operations, Delete, "forwarders/{name}/requests/{id}", (api, request, value, stop) => api.TakeBackAsync(request, value("name"), value("id"), stop));
        Act(operations, Delete, "forwarders/{name}", (api, request, value, stop) => api.ForgetAsync(request, value("name"), stop));
    }

    private static void Act(
        RouteGroupBuilder operations, string[] methods, string route, Func<OperationsApi, HttpRequest, Func<string, string>, CancellationToken, Task<IResult>> act) =>
        operations.MapMethods(route, methods, (HttpRequest request, OperationsApi api, FaultBoundary boundary, CancellationToken stop) =>
            boundary.RunAsync(request, () => act(api, request, name => (string)request.RouteValues[name]!, stop), stop, isVersioned: false));

    // This runs after the app's own conventions, when the app has said who may use an endpoint.
    private static void Protect(EndpointBuilder endpoint)
    {
        if (endpoint.Metadata.Any(one => one is IAuthorizeData or IAllowAnonymous or AuthorizationPolicy)) return;
        endpoint.RequestDelegate = http => Problem.NotProtected().ExecuteAsync(http);
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.Functions;

/// <summary>The example domain over HTTP: each command records an order's change and its event together.</summary>
public sealed class OrderFunctions(OrderApi api, FaultBoundary boundary)
{
    /// <summary>Places an order.</summary>
    [Function("PlaceOrder")]
    public Task<IResult> PlaceAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders")] HttpRequest request, CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => api.PlaceAsync(request, cancellationToken), cancellationToken);

    /// <summary>An order as it is now.</summary>
    [Function("GetOrder")]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "orders/{id}")] HttpRequest request,
        string id,
        CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => api.GetAsync(request, id, cancellationToken), cancellationToken);

    /// <summary>Pays an order.</summary>
    [Function("PayOrder")]
    public Task<IResult> PayAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/pay")] HttpRequest request,
        string id,
        CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => api.PayAsync(request, id, cancellationToken), cancellationToken);

    /// <summary>Ships an order.</summary>
    [Function("ShipOrder")]
    public Task<IResult> ShipAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/ship")] HttpRequest request,
        string id,
        CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => api.ShipAsync(request, id, cancellationToken), cancellationToken);

    /// <summary>Cancels an order.</summary>
    [Function("CancelOrder")]
    public Task<IResult> CancelAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "orders/{id}/cancel")] HttpRequest request,
        string id,
        CancellationToken cancellationToken) =>
        boundary.RunAsync(request, () => api.CancelAsync(request, id, cancellationToken), cancellationToken);
}

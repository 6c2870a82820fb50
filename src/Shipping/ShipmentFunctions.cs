using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.Shipping;

/// <summary>Shipments over HTTP, for reading only.</summary>
public sealed class ShipmentFunctions(EntityApi api)
{
    private static readonly EntityResource<Shipment> Shipments = new(ShipmentDecisions.Entity);

    /// <summary>The shipment of an order as it is now.</summary>
    [Function("GetShipment")]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "shipments/{id}")] HttpRequest request, string id, CancellationToken cancellationToken) =>
        api.ReadAsync(request, Shipments, id, cancellationToken);
}

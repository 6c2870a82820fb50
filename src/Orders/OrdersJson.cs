using System.Text.Json;
using System.Text.Json.Serialization;

namespace Outpost.Orders;

/// <summary>How orders and their events are written as JSON. Stored state and payloads depend on it.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(OrderStateConverter)])]
[JsonSerializable(typeof(Order))]
[JsonSerializable(typeof(OrderPlaced))]
[JsonSerializable(typeof(OrderPaid))]
[JsonSerializable(typeof(OrderShipped))]
[JsonSerializable(typeof(OrderCancelled))]
public sealed partial class OrdersJson : JsonSerializerContext
{
    /// <summary>A state's name on the wire: <c>placed</c>, <c>paid</c>, <c>shipped</c>, <c>cancelled</c>.</summary>
    public static string Name(OrderState state) => JsonNamingPolicy.CamelCase.ConvertName(state.ToString());
}

internal sealed class OrderStateConverter() : JsonStringEnumConverter<OrderState>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

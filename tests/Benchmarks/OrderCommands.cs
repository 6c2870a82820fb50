using System.Text.Json;
using System.Security.Cryptography;
using System.Text;
using Outpost.Orders;

namespace Outpost.Tests.Benchmarks;

/// <summary>The commands that are measured: what <c>OrderApi</c> makes of requests, without HTTP.</summary>
internal sealed class OrderCommands
{
    public const int EventBytes = 1024;
    private const int Lines = 20;
    private const double Tolerance = 0.05;
    private const string CustomerId = "c-4711";
    private readonly IReadOnlyList<OrderLine> _lines;
    private readonly byte[] _body;

    /// <param name="eventBytes">Size of an OrderPlaced as JSON; state and receipt are about as large.</param>
    public OrderCommands(int eventBytes = EventBytes)
    {
        _lines = LinesFor(eventBytes);
        var payload = Payload(_lines);
        if (Math.Abs(payload.Length - eventBytes) > Tolerance * eventBytes)
            throw new InvalidOperationException($"The event has {payload.Length} bytes instead of {eventBytes}.");
        _body = payload.ToArray();
    }

    /// <summary><c>POST /orders</c>: a new order; the caller's key is new each time. Gives its id.</summary>
    public async Task<string> PlaceAsync(EventLog log, bool withKey)
    {
        var idempotency = withKey ? NewKey("POST /orders") : null;
        var id = idempotency is null ? $"o-{Guid.NewGuid():N}" : DerivedId(idempotency);
        Require(await log.ExecuteAsync(
            Command(id, idempotency, order => OrderDecisions.Place(order, id, CustomerId, _lines)) with { LikelyNew = true },
            CancellationToken.None));
        return id;
    }

    /// <summary><c>POST /orders/{id}/pay</c></summary>
    public async Task PayAsync(EventLog log, string id) => Require(await log.ExecuteAsync(
        Command(id, NewKey($"POST /orders/{id}/pay"), order => OrderDecisions.Pay(order, id)), CancellationToken.None));

    /// <summary>
    /// A command that succeeds however often it is sent, on one order: it changes and records what placing it would.
    /// </summary>
    public async Task ChangeAsync(EventLog log, string id) => Require(await ExecuteChangeAsync(log, id));

    /// <summary>As <see cref="ChangeAsync"/>; false when the log has too much to do.</summary>
    public async Task<bool> TryChangeAsync(EventLog log, string id)
    {
        var result = await ExecuteChangeAsync(log, id);
        if (result is CommandResult<Order>.Busy) return false;
        Require(result);
        return true;
    }

    private Task<CommandResult<Order>> ExecuteChangeAsync(EventLog log, string id) => log.ExecuteAsync(
        Command(id, NewKey($"POST /orders/{id}/change"), _ => OrderDecisions.Place(null, id, CustomerId, _lines)),
        CancellationToken.None);

    private static Command<Order> Command(string id, Idempotency? idempotency, Func<Order?, Decision<Order>> decide) => new()
    {
        Entity = OrderDecisions.Entity,
        EntityId = id,
        Decide = decide,
        Idempotency = idempotency,
    };

    private Idempotency NewKey(string scope) =>
        new(scope, Guid.NewGuid().ToString(), Convert.ToHexStringLower(SHA256.HashData(_body)));

    private static string DerivedId(Idempotency idempotency) =>
        "o-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{idempotency.Scope}\n{idempotency.Key}")))[..20];

    // A figure of commands that did not all succeed would be one of something else.
    private static void Require(CommandResult<Order> result)
    {
        if (result is not CommandResult<Order>.Done { Replayed: false })
            throw new InvalidOperationException($"A command was not done: {result}");
    }

    private static IReadOnlyList<OrderLine> LinesFor(int bytes)
    {
        var missing = bytes - Payload(Filled(0)).Length;
        return Filled(missing / Lines);
    }

    private static OrderLine[] Filled(int skuCharacters) =>
        [.. Enumerable.Range(0, Lines).Select(_ => new OrderLine(new string('s', Math.Max(skuCharacters, 0)), 2, 9.5m))];

    private static ReadOnlyMemory<byte> Payload(IReadOnlyList<OrderLine> lines)
    {
        var id = $"o-{new string('0', 20)}";
        return JsonSerializer.SerializeToUtf8Bytes((OrderPlaced)((Decision<Order>.Accepted)OrderDecisions.Place(null, id, CustomerId, lines)).Events[0], OrdersJson.Default.OrderPlaced);
    }
}

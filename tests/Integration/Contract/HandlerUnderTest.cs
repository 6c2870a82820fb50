using System.Net;
using System.Net.Sockets;
using Outpost.Forwarding;
using Outpost.Orders;

namespace Outpost.Tests.Integration.Contract;

/// <summary>Code in the same process: any size, and the entry itself in place of attributes.</summary>
[Lacks(Ability.References | Ability.Attributes)]
public sealed class A_local_handler : TargetContract
{
    protected override Task<TargetUnderTest> StartAsync() => Task.FromResult<TargetUnderTest>(new HandlerUnderTest());

    private sealed class HandlerUnderTest : TargetUnderTest, IEventHandler<OrderPlaced>
    {
        private readonly Lock _lock = new();
        private readonly List<Arrived> _arrived = [];
        private Weather? _weather;

        public HandlerUnderTest() => Target = new Typed(new HandlerTarget<OrderPlaced>(this, OrdersJson.Default.OrderPlaced, new HandlerOptions(), TimeProvider.System));

        public override IForwardTarget Target { get; }

        public async Task HandleAsync(OrderPlaced payload, EventEntry entry, CancellationToken cancellationToken)
        {
            switch (_weather)
            {
                case Weather.Throttled: throw new HttpRequestException("Later.", null, HttpStatusCode.TooManyRequests);
                case Weather.Away: throw new SocketException((int)SocketError.ConnectionRefused);
                case Weather.Silent:
                    // The call that hangs; the next one does not.
                    _weather = null;
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                    break;
            }

            if (entry.CorrelationId == "refused") throw new PermanentFailureException("Not this one.");
            lock (_lock) _arrived.Add(new Arrived(entry.Id.ToString(), entry.Offset, entry.Subject, entry.Payload.ToArray()));
        }

        public override Task<IReadOnlyList<Arrived>> ArrivedAsync(int count)
        {
            lock (_lock) return Task.FromResult<IReadOnlyList<Arrived>>([.. _arrived]);
        }

        public override Task RefuseAsync(EventEntry entry) => Task.CompletedTask;

        public override Task BeginAsync(Weather weather)
        {
            _weather = weather;
            return Task.CompletedTask;
        }

        public override Task FineAsync()
        {
            _weather = null;
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        /// <summary>A handler passes over other types; the refused entry is one of its own.</summary>
        private sealed class Typed(IForwardTarget inner) : IForwardTarget
        {
            public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken) => inner.DeliverAsync(
                [.. entries.Select(entry => entry.Type == "Refused" ? entry with { Type = "OrderPlaced", CorrelationId = "refused" } : entry)], replay, cancellationToken);
        }
    }
}

using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Azure.Amqp;
using Microsoft.Azure.Amqp.Framing;

namespace Outpost.ServiceBus;

/// <summary>
/// Tells whether an acceptance that the client reports is the broker's own. The AMQP library (2.7.3, AmqpLink.SendDelivery)
/// looks after the last frame whether a delivery is settled, and takes that for "sent without asking for an answer". When the
/// broker's answer is in by then, the client reports acceptance, whatever the answer said. It overwrites the delivery's state
/// with a constant; an answer that was read from the wire is an object of its own. So the delivery itself tells the two apart,
/// at any time after the call. The library calls its trace right before it looks, and the trace finds the delivery.
/// </summary>
internal static class OvertakenAnswers
{
    private static readonly ConcurrentDictionary<string, Send> Sends = new(StringComparer.Ordinal);
    private static readonly Lock Gate = new();
    private static volatile bool _isElsewhere;

    /// <summary>From before a send until its answer was looked at; dispose it then.</summary>
    /// <param name="sender">The sender's identifier. A sender has one send under way at most.</param>
    public static Send Expect(string sender)
    {
        // Another library may have set a trace of its own meanwhile.
        lock (Gate)
        {
            if (AmqpTrace.Provider is not Trace) AmqpTrace.Provider = new Trace();
        }

        return Sends[sender] = new Send(sender);
    }

    private static Microsoft.Azure.Amqp.Delivery? Find(AmqpLink link, uint delivery)
    {
        try
        {
            return Look(link, delivery);
        }
        catch (MissingFieldException)
        {
            // A newer version of the library keeps deliveries elsewhere, and must be able to send.
            _isElsewhere = true;
            return null;
        }
    }

    // Null: the answer has come already, and the link has forgotten the delivery.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Microsoft.Azure.Amqp.Delivery? Look(AmqpLink link, uint delivery)
    {
        lock (SyncRoot(link))
        {
            foreach (var unsettled in Unsettled(link).Values)
            {
                if (unsettled.DeliveryId.Value == delivery) return unsettled;
            }
        }

        return null;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "syncRoot")]
    private static extern ref object SyncRoot(AmqpLink link);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "unsettledMap")]
    private static extern ref Dictionary<ArraySegment<byte>, Microsoft.Azure.Amqp.Delivery> Unsettled(AmqpLink link);

    /// <summary>One send of a sender.</summary>
    internal sealed class Send(string sender) : IDisposable
    {
        private volatile Microsoft.Azure.Amqp.Delivery? _delivery;

        /// <summary>Whether the broker has said that it accepted; ask after the client has reported acceptance.</summary>
        /// <remarks>True, too, where the library keeps deliveries elsewhere: then the client's word has to do.</remarks>
        public bool IsAcceptedByBroker =>
            _isElsewhere || (_delivery?.State is Accepted state && !ReferenceEquals(state, AmqpConstants.AcceptedOutcome));

        public void Found(Microsoft.Azure.Amqp.Delivery? delivery) => _delivery = delivery;

        // A sender that is sent with meanwhile has another send there.
        public void Dispose() => Sends.TryRemove(KeyValuePair.Create(sender, this));
    }

    private sealed class Trace : AmqpTrace
    {
        public override void AmqpSentMessage(object source, uint deliveryId, long bytes)
        {
            base.AmqpSentMessage(source, deliveryId, bytes);
            // A sender's identifier is the source address of its link.
            if (source is SendingAmqpLink { Settings.Source: Source { Address: { } sender } } link && Sends.TryGetValue(sender.ToString()!, out var send))
                send.Found(Find(link, deliveryId));
        }
    }
}

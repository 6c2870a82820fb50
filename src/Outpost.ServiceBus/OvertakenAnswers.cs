using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Azure.Amqp;
using Microsoft.Azure.Amqp.Framing;

namespace Outpost.ServiceBus;

/// <summary>
/// Tells whether an acceptance that the client reports is the broker's own. After the last frame, the AMQP library
/// (2.7.3, AmqpLink.SendDelivery) looks whether the delivery is settled, and takes a settled one for "sent without
/// asking for an answer". Where the broker's answer came before that look, the client reports acceptance, whatever the
/// answer said. The library overwrites the delivery's state with a constant, while an answer read from the wire is an
/// object of its own. So the delivery itself tells the two apart, at any time after the call. The library calls its
/// trace right before it looks, and the trace finds the delivery.
/// </summary>
internal static class OvertakenAnswers
{
    private static readonly ConcurrentDictionary<string, Send> Sends = new(StringComparer.Ordinal);
    private static readonly Lock Gate = new();
    private static volatile bool _isElsewhere;

    /// <summary>Watches a send. Call this before the send, and dispose the result when the answer was looked at.</summary>
    /// <param name="sender">The sender's identifier. A sender has at most one send under way.</param>
    public static Send Expect(string sender)
    {
        // Another library may have set its own trace meanwhile.
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
            // A newer version of the library keeps deliveries elsewhere. Sending must still work with it.
            _isElsewhere = true;
            return null;
        }
    }

    // Null: the answer has already come, and the link has forgotten the delivery.
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

        /// <summary>Whether the broker itself accepted. Ask only after the client has reported acceptance.</summary>
        /// <remarks>
        /// Also true where the library keeps deliveries elsewhere, because then only the client's report is left.
        /// </remarks>
        public bool IsAcceptedByBroker =>
            _isElsewhere || (_delivery?.State is Accepted state && !ReferenceEquals(state, AmqpConstants.AcceptedOutcome));

        public void Found(Microsoft.Azure.Amqp.Delivery? delivery) => _delivery = delivery;

        // A newer send of the same sender may have taken the place.
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

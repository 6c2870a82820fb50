using System.Net.Sockets;
using System.Runtime.Serialization;
using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;

namespace Outpost.ServiceBus;

/// <summary>What the client's exceptions mean. Pure.</summary>
internal static class Answers
{
    /// <summary>Kind of a failure: the client's word cannot be trusted this time.</summary>
    public const string Overtaken = "AnswerOvertaken";

    private const string OvertakenReason = "The broker answered before the client had finished sending, and what it said is not known.";

    // The client ends its messages with its own name for the reason, and with this.
    private const string Advice = "For troubleshooting information, see ";

    /// <summary>A send that failed. Only what is said of the messages themselves refuses them.</summary>
    public static Delivery OfSend(Exception e, int sent) => IsTooLarge(e) || IsOfTheMessage(e) ? Refused(e, sent) : OfLink(e);

    /// <summary>A link that could not be opened, or anything else that no message has a part in.</summary>
    public static Delivery.Failed OfLink(Exception e) => e switch
    {
        // A full entity empties again; a name that cannot be resolved may be a moment's trouble of the network.
        ServiceBusException known => new Delivery.Failed(e, known.IsTransient || known.Reason == ServiceBusFailureReason.QuotaExceeded)
        {
            Kind = known.Reason.ToString(),
            Reason = TextOf(e),
            IsBusy = known.Reason == ServiceBusFailureReason.ServiceBusy,
        },
        // The client has no name for an outcome that is neither acceptance nor rejection.
        NullReferenceException => new Delivery.Failed(e, IsTransient: true) { Kind = "Released", Reason = "The broker neither accepted nor rejected the messages." },
        _ => new Delivery.Failed(e, IsTransient: e is TimeoutException or IOException or SocketException) { Reason = TextOf(e) },
    };

    /// <summary>The client says accepted, and may not have read the answer: the batch is sent again, under the same ids.</summary>
    public static Delivery.Failed OfOvertaken() => new(new InvalidOperationException(OvertakenReason), IsTransient: true) { Kind = Overtaken, Reason = OvertakenReason };

    public static Delivery.Refused Refused(Exception e, int sent) =>
        new(sent, $"{(e is ServiceBusException known ? known.Reason.ToString() : e.GetType().Name)}: {TextOf(e)}");

    /// <summary>amqp:argument-error and amqp:not-implemented, and what cannot be encoded: not about the connection.</summary>
    public static bool IsOfTheMessage(Exception e) => e is ArgumentException or SerializationException or NotSupportedException;

    public static bool IsTooLarge(Exception e) => e is ServiceBusException { Reason: ServiceBusFailureReason.MessageSizeExceeded };

    /// <summary>The broker has said nothing in time.</summary>
    public static bool IsUnanswered(Exception e) =>
        e is OperationCanceledException or TimeoutException or ServiceBusException { Reason: ServiceBusFailureReason.ServiceTimeout };

    private static string TextOf(Exception e)
    {
        var end = e.Message.LastIndexOf(Advice, StringComparison.Ordinal);
        var text = (end < 0 ? e.Message : e.Message[..end]).TrimEnd();
        return e is ServiceBusException known && text.EndsWith($"({known.Reason}).", StringComparison.Ordinal)
            ? text[..text.LastIndexOf('(')].TrimEnd()
            : text;
    }
}

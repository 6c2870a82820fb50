using System.Net.Sockets;
using System.Runtime.Serialization;
using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;

namespace Outpost.ServiceBus;

/// <summary>Translates the client's exceptions. Pure.</summary>
internal static class Answers
{
    /// <summary>Kind of a failure: the client reported acceptance without having read the broker's answer.</summary>
    public const string Overtaken = "AnswerOvertaken";

    private const string OvertakenReason = "The broker answered before the client had finished sending, and what it said is not known.";

    // The client ends its messages with its own name for the reason, and with this advice.
    private const string Advice = "For troubleshooting information, see ";

    /// <summary>The answer to a send that failed. Only an error about the messages themselves refuses them.</summary>
    public static Delivery OfSend(Exception e, int sent) => IsTooLarge(e) || IsOfTheMessage(e) ? Refused(e, sent) : OfLink(e);

    /// <summary>The answer where a link could not be opened, or where anything else failed that no message caused.</summary>
    public static Delivery.Failed OfLink(Exception e) => e switch
    {
        // A full entity empties again. A name that cannot be resolved may be a short fault of the network.
        ServiceBusException known => new Delivery.Failed(e, known.IsTransient || known.Reason == ServiceBusFailureReason.QuotaExceeded)
        {
            Kind = known.Reason.ToString(),
            Reason = TextOf(e),
            IsBusy = known.Reason == ServiceBusFailureReason.ServiceBusy,
        },
        // The client throws this for an outcome that is neither acceptance nor rejection.
        NullReferenceException => new Delivery.Failed(e, IsTransient: true) { Kind = "Released", Reason = "The broker neither accepted nor rejected the messages." },
        _ => new Delivery.Failed(e, IsTransient: e is TimeoutException or IOException or SocketException) { Reason = TextOf(e) },
    };

    /// <summary>
    /// The client reported acceptance, and may not have read the answer. The batch is sent again, under the same ids.
    /// </summary>
    public static Delivery.Failed OfOvertaken() => new(new InvalidOperationException(OvertakenReason), IsTransient: true) { Kind = Overtaken, Reason = OvertakenReason };

    public static Delivery.Refused Refused(Exception e, int sent) =>
        new(sent, $"{(e is ServiceBusException known ? known.Reason.ToString() : e.GetType().Name)}: {TextOf(e)}");

    /// <summary>
    /// Whether the message is at fault, not the connection: amqp:argument-error, amqp:not-implemented, or a message
    /// that cannot be encoded.
    /// </summary>
    public static bool IsOfTheMessage(Exception e) => e is ArgumentException or SerializationException or NotSupportedException;

    public static bool IsTooLarge(Exception e) => e is ServiceBusException { Reason: ServiceBusFailureReason.MessageSizeExceeded };

    /// <summary>Whether the broker did not answer in time.</summary>
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

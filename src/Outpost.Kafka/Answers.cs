using Confluent.Kafka;
using Outpost.Forwarding;

namespace Outpost.Kafka;

/// <summary>Translates the errors of the broker and of the client. Pure.</summary>
internal static class Answers
{
    /// <summary>
    /// Kind of a delivery that failed because a message, or the batch around it, is larger than the broker takes.
    /// </summary>
    public const string TooLarge = "MessageTooLarge";

    public static Delivery Accepted { get; } = new Delivery.Accepted(1);

    /// <summary>The answer to a message.</summary>
    /// <param name="error">The error of the delivery report; it may be no error.</param>
    /// <param name="lately">
    /// What the client last reported about its connections. It names the cause where a message only timed out.
    /// </param>
    public static Delivery Of(Error error, Error? lately = null)
    {
        if (!error.IsError) return Accepted;
        if (IsTooLarge(error.Code)) return Failed(error, false) with { Kind = TooLarge };
        if (IsOfTheMessage(error.Code)) return new Delivery.Refused(1, $"{error.Code}: {error.Reason}");
        if (error.IsFatal || error.Code == ErrorCode.Local_Fatal) return Failed(error, true);
        if (error.Code is ErrorCode.Local_MsgTimedOut && lately is { } cause) return Failed(cause, IsTransient(cause.Code));
        return Failed(error, IsTransient(error.Code)) with
        {
            IsBusy = error.Code is ErrorCode.Local_QueueFull or ErrorCode.ThrottlingQuotaExceeded,
        };
    }

    /// <summary>The delivery had no answer in time, not even from the client.</summary>
    public static Delivery Unanswered(TimeSpan within, Exception cause, Error? lately) => lately is not null
        ? Failed(lately, IsTransient(lately.Code))
        : new Delivery.Failed(new TimeoutException($"There was no answer within {within.TotalSeconds} s.", cause), IsTransient: true) { Kind = "Timeout" };

    /// <summary>Whether a producer that met this error can send nothing more.</summary>
    public static bool IsFatal(Error error) => error.IsFatal || error.Code is ErrorCode.Local_Fatal or ErrorCode.Local_Destroy or ErrorCode.Local_Fenced;

    private static Delivery.Failed Failed(Error error, bool isTransient) => new(new KafkaException(error), isTransient)
    {
        Kind = error.Code.ToString(),
        Reason = error.Reason,
    };

    private static bool IsTooLarge(ErrorCode code) => code is ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge or ErrorCode.InvalidMsgSize;

    // The broker says these of a batch, and means one of the messages in it.
    private static bool IsOfTheMessage(ErrorCode code) => code is
        ErrorCode.InvalidRecord or ErrorCode.InvalidTimestamp or ErrorCode.PolicyViolation or ErrorCode.Local_BadMsg
        or ErrorCode.Local_KeySerialization or ErrorCode.Local_ValueSerialization or ErrorCode.UnsupportedForMessageFormat;

    // Wrong names, rights and settings stay wrong until somebody corrects them. Moving leaders, missing replicas,
    // broken connections and timeouts pass.
    private static bool IsTransient(ErrorCode code) => code is not (
        ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition or ErrorCode.TopicException
        or ErrorCode.TopicAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed or ErrorCode.GroupAuthorizationFailed
        or ErrorCode.SaslAuthenticationFailed or ErrorCode.Local_Authentication or ErrorCode.UnsupportedSaslMechanism or ErrorCode.IllegalSaslState
        or ErrorCode.InvalidRequiredAcks or ErrorCode.SecurityDisabled or ErrorCode.UnsupportedCompressionType or ErrorCode.UnsupportedVersion
        or ErrorCode.InvalidConfig or ErrorCode.Local_InvalidArg or ErrorCode.Local_Ssl or ErrorCode.TransactionalIdAuthorizationFailed);
}

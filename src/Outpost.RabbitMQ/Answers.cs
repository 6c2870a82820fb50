using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Outpost.Forwarding;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Outpost.RabbitMQ;

/// <summary>Translates the broker's answers and the client's exceptions. Pure.</summary>
internal static partial class Answers
{
    /// <summary>Kind of a delivery that failed because a message is larger than the broker takes.</summary>
    public const string TooLarge = "MessageTooLarge";

    public static Delivery Accepted { get; } = new Delivery.Accepted(1);

    /// <summary>The broker takes messages, but does not take this one now.</summary>
    public static Delivery Nacked { get; } = new Delivery.Failed(
        new IOException("The broker did not take the message (basic.nack): a queue that it goes to is full, or not available."), IsTransient: true)
    {
        Kind = "Nacked",
        IsBusy = true,
    };

    /// <summary>No queue is bound for the message's routing key.</summary>
    public static Delivery Returned(BasicReturnEventArgs answer) => new Delivery.Refused(
        1, $"{answer.ReplyText}: no queue takes routing key '{answer.RoutingKey}' from exchange '{answer.Exchange}'.");

    /// <summary>The broker reads nothing from this connection until it has free memory or disk space again.</summary>
    public static Delivery Blocked(string reason) => new Delivery.Failed(new IOException($"The broker blocks its publishers: {reason}."), IsTransient: true)
    {
        Kind = "ConnectionBlocked",
        IsBusy = true,
    };

    public static Delivery Unanswered(TimeSpan within, Exception cause) => new Delivery.Failed(
        new TimeoutException($"There was no answer within {within.TotalSeconds} s.", cause), IsTransient: true)
    {
        Kind = "Timeout",
    };

    /// <summary>A channel or connection ended.</summary>
    public static Delivery OfShutdown(ShutdownEventArgs reason)
    {
        var cause = reason.Exception ?? new OperationInterruptedException(reason);
        var text = string.IsNullOrEmpty(reason.ReplyText) ? cause.Message : reason.ReplyText;
        return new Delivery.Failed(cause, IsTransient(reason)) { Kind = SizeMax(reason) is null ? KindOf(reason) : TooLarge, Reason = text };
    }

    /// <summary>A connection or channel that could not be opened, or a message that could not be handed over.</summary>
    public static Delivery OfException(Exception e)
    {
        if (e is OperationInterruptedException { ShutdownReason: { } reason }) return OfShutdown(reason);
        // The client says "None of the specified endpoints were reachable", whatever the reason.
        var cause = e is BrokerUnreachableException { InnerException: { } inner } ? Innermost(inner) : e;
        if (cause is OperationInterruptedException { ShutdownReason: { } refused }) return OfShutdown(refused);
        return new Delivery.Failed(e, IsTransient: cause is TimeoutException or IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Kind = cause.GetType().Name,
            Reason = cause.Message,
        };
    }

    /// <summary>Whether the message cannot be encoded, so that the connection is not at fault.</summary>
    public static bool IsOfTheMessage(Exception e) => e is ArgumentException or WireFormattingException;

    /// <summary>
    /// The size in bytes of the largest message that the broker takes; null: the broker closed the channel for another
    /// reason.
    /// </summary>
    public static long? SizeMax(ShutdownEventArgs reason) =>
        reason.ReplyCode == Constants.PreconditionFailed && TooLargeText().Match(reason.ReplyText) is { Success: true } match
            ? long.Parse(match.Groups["max"].ValueSpan, CultureInfo.InvariantCulture)
            : null;

    // A wrong name, right or argument stays wrong until somebody corrects it. A stopping broker, a broken connection
    // and an internal error pass.
    private static bool IsTransient(ShutdownEventArgs reason) => reason.ReplyCode is not (
        Constants.AccessRefused or Constants.NotFound or Constants.PreconditionFailed or Constants.NotAllowed or Constants.NotImplemented
        or Constants.SyntaxError or Constants.CommandInvalid or Constants.InvalidPath or Constants.ResourceLocked);

    private static string KindOf(ShutdownEventArgs reason) => reason.ReplyCode switch
    {
        Constants.AccessRefused => "AccessRefused",
        Constants.NotFound => "NotFound",
        Constants.PreconditionFailed => "PreconditionFailed",
        Constants.NotAllowed => "NotAllowed",
        Constants.ConnectionForced => "ConnectionForced",
        Constants.InternalError => "InternalError",
        _ => reason.Initiator == ShutdownInitiator.Peer ? $"Amqp{reason.ReplyCode.ToString(CultureInfo.InvariantCulture)}" : "ConnectionLost",
    };

    private static Exception Innermost(Exception e)
    {
        var inner = e is AggregateException { InnerExceptions: [var first, ..] } ? first : e;
        return inner is (ConnectFailureException or PossibleAuthenticationFailureException) && inner.InnerException is { } cause ? cause : inner;
    }

    // "message size 400000 is larger than configured max size 300000". Other versions use other words.
    [GeneratedRegex(@"message size \d+ .*?larger than .*?(?<max>\d+)")]
    private static partial Regex TooLargeText();
}

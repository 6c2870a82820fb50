namespace Outpost.Client;

/// <summary>
/// Handles events that a messaging system delivers. The handler comes from a service scope of its own for each try.
/// </summary>
public interface IMessageHandler
{
    /// <summary>
    /// Does the work and stores <see cref="EventMessage.Key"/> in the same transaction; does nothing where that key is
    /// stored already. The source settles the message afterwards. After an exception the message comes again, see
    /// <see cref="MessageConsumerOptions.Attempts"/>; a <see cref="PoisonMessageException"/> makes it a dead letter at once.
    /// Events of one subject come one after the other.
    /// </summary>
    Task HandleAsync(EventMessage message, CancellationToken cancellationToken);
}

/// <summary>Says that no further try can help: the message becomes a dead letter.</summary>
/// <param name="reason">Why, for people. It is kept with the dead letter.</param>
public sealed class PoisonMessageException(string reason) : Exception(reason);

/// <summary>
/// Where messages come from. A source delivers again what it did not settle, and keeps the order of each subject.
/// </summary>
public interface IMessageSource
{
    /// <summary>
    /// Passes messages to <see cref="MessageConsumer.HandleAsync"/>, those of one subject one at a time, and settles
    /// each by the answer. Null means that the message is done; a reason means that it becomes a dead letter. Runs
    /// until it is stopped or fails; after a failure it is run again.
    /// </summary>
    Task RunAsync(MessageConsumer consumer, CancellationToken stopping);

    /// <summary>
    /// Handles the present dead letters in order, without moving them. A dead letter that fails again stays, and so do
    /// later ones of its subject.
    /// </summary>
    /// <returns>How many dead letters are done, and how many stay.</returns>
    Task<(int Done, int Left)> RetryDeadLettersAsync(MessageConsumer consumer, CancellationToken cancellationToken);
}

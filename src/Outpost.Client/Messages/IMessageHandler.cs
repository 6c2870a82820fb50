namespace Outpost.Client;

/// <summary>Handles events that a messaging system delivers. It comes from a service scope of its own for each try.</summary>
public interface IMessageHandler
{
    /// <summary>
    /// Takes effect, and stores <see cref="EventMessage.Key"/> in the same transaction; does nothing where that key is stored already.
    /// The message is settled after it. After an exception it comes again, see <see cref="MessageConsumerOptions.Attempts"/>;
    /// a <see cref="PoisonMessageException"/> makes it a dead letter at once. Events of a subject come one after the other.
    /// </summary>
    Task HandleAsync(EventMessage message, CancellationToken cancellationToken);
}

/// <summary>A message that no further try would help: it becomes a dead letter.</summary>
/// <param name="reason">Why, for people; kept with the dead letter.</param>
public sealed class PoisonMessageException(string reason) : Exception(reason);

/// <summary>Where messages come from. A source delivers again what was not settled, and keeps the order of each subject.</summary>
public interface IMessageSource
{
    /// <summary>
    /// Passes messages to <see cref="MessageConsumer.HandleAsync"/>, of each subject one at a time, and settles each by the answer:
    /// null, it is done; a reason, it becomes a dead letter. Runs until it is stopped, or fails: then it is run again.
    /// </summary>
    Task RunAsync(MessageConsumer consumer, CancellationToken stopping);

    /// <summary>
    /// Handles the dead letters that there are, in order, where they are; what fails again stays, and what follows it of the same subject.
    /// </summary>
    /// <returns>How many are done, and how many stay.</returns>
    Task<(int Done, int Left)> RetryDeadLettersAsync(MessageConsumer consumer, CancellationToken cancellationToken);
}

using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Outpost.Client;

/// <summary>
/// What one consumer of an app logs and measures. It logs a fault once when it begins, and once when it is over.
/// </summary>
internal sealed partial class ConsumerLog(string name, MessageMetrics metrics, ILogger logger)
{
    private int _failing;

    public void Failed(Exception e)
    {
        metrics.Failed(name, e.GetType().Name);
        if (Interlocked.Exchange(ref _failing, 1) == 0) Fails(name, e.Message, e);
        else FailsAgain(name, e.Message);
    }

    public void Settled(string? reason)
    {
        metrics.Settled(name, isDone: reason is null);
        if (reason is not null) DeadLetter(name, reason);
        else if (Interlocked.Exchange(ref _failing, 0) == 1) WorksAgain(name);
    }

    [LoggerMessage(35, LogLevel.Warning, "Consumer {Consumer} is failing, and tries again: {Reason}")]
    private partial void Fails(string consumer, string reason, Exception exception);

    [LoggerMessage(36, LogLevel.Debug, "Consumer {Consumer}: failed again: {Reason}")]
    private partial void FailsAgain(string consumer, string reason);

    [LoggerMessage(37, LogLevel.Information, "Consumer {Consumer} works again")]
    private partial void WorksAgain(string consumer);

    [LoggerMessage(38, LogLevel.Error, "Consumer {Consumer}: a message is a dead letter now: {Reason}")]
    private partial void DeadLetter(string consumer, string reason);
}

/// <summary>
/// The metrics of all consumers of an app. There is one instance per app, and the meter factory disposes its meter.
/// </summary>
internal sealed class MessageMetrics
{
    private readonly Counter<long> _messages;
    private readonly Counter<long> _failures;

    public MessageMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Outpost.Client");
        _messages = meter.CreateCounter<long>("outpost.client.messages", "{message}", "Messages that are done, and dead letters");
        _failures = meter.CreateCounter<long>("outpost.client.message_failures", "{try}", "Tries that failed, by kind");
    }

    public void Settled(string name, bool isDone) => _messages.Add(1, new("consumer", name), new("result", isDone ? "done" : "dead_letter"));

    public void Failed(string name, string kind) => _failures.Add(1, new("consumer", name), new("kind", kind));
}

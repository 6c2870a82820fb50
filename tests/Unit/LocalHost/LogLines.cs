using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Outpost.Tests.Unit.LocalHost;

/// <summary>What was logged, as "Level: text".</summary>
internal sealed class LogLines : ILogger
{
    private readonly ConcurrentQueue<string> _lines = [];

    public IEnumerable<string> Errors => _lines.Where(line => line.StartsWith("Error", StringComparison.Ordinal));

    public IEnumerable<string> AboveDebug => _lines.Where(line => !line.StartsWith("Debug", StringComparison.Ordinal));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => _lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
}

using Microsoft.Extensions.Logging;

namespace Outpost.AzureFunctions;

/// <summary>
/// Writes the lines that are logged outside a function's run to the console, one line each. The Functions host passes
/// on what is logged inside a run. It drops the rest, unless the app exports its lines itself. That rest is what is
/// logged at the start and by forwarding after a commit.
/// </summary>
internal sealed class LinesOutsideRuns(TextWriter output) : ILoggerProvider, ISupportExternalScope
{
    // The worker opens a scope with this key for each run.
    private const string InvocationId = "AzureFunctions_InvocationId";

    private IExternalScopeProvider? _scopes;

    public ILogger CreateLogger(string categoryName) => new Lines(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    private void Write(string line) => output.WriteLine(line);

    private bool IsInsideRun()
    {
        var inside = new bool[1];
        _scopes?.ForEachScope(
            static (scope, found) => found[0] |= scope is IEnumerable<KeyValuePair<string, object>> values && values.Any(value => value.Key == InvocationId),
            inside);
        return inside[0];
    }

    private sealed class Lines(LinesOutsideRuns all, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => all._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and < LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel) || all.IsInsideRun()) return;
            var reason = exception is null ? "" : $" {exception.GetType().Name}: {exception.Message}";
            all.Write($"{logLevel}: {category}[{eventId.Id}] {formatter(state, exception)}{reason}".ReplaceLineEndings(" "));
        }
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.AspNetCore;

namespace Outpost.Tests.Simulation;

/// <summary>What a process answered.</summary>
internal sealed record HttpAnswer(int Status, IHeaderDictionary Headers, byte[] Body)
{
    public string? this[string header] => Headers.TryGetValue(header, out var value) ? value.ToString() : null;
}

/// <summary>The event API of a process, as its host calls it.</summary>
internal static class NodeHttp
{
    private static readonly ServiceProvider Services = new ServiceCollection().AddLogging().BuildServiceProvider();

    /// <summary>To be called in the process.</summary>
    /// <param name="world">Told when it answers 500.</param>
    /// <param name="node">The process.</param>
    /// <param name="url">Path and query.</param>
    /// <param name="cancellationToken">The client leaves.</param>
    public static async Task<HttpAnswer> GetAsync(World world, Node node, string url, CancellationToken cancellationToken)
    {
        await node.Opened;
        var (path, query) = url.Split('?') is [var before, var after] ? (before, "?" + after) : (url, "");
        var http = new DefaultHttpContext { RequestServices = Services };
        (http.Request.Method, http.Request.Path, http.Request.QueryString) = ("GET", path, new QueryString(query));
        using var body = new MemoryStream();
        http.Response.Body = body;
        var result = await new FaultBoundary(new FaultLog(world), node.Process.Sources.Time).RunAsync(
            http.Request,
            () => path.Split('/') switch
            {
                [_, _, "events"] => node.Api.ReadAsync(http.Request, cancellationToken),
                [_, _, "partitions"] => node.Partitions.ListAsync(http.Request, cancellationToken),
                [_, _, "partitions", var partition, "offset-at"] => node.Partitions.OffsetAtAsync(http.Request, partition, cancellationToken),
                _ => throw new NotSupportedException(url),
            },
            cancellationToken);
        await result.ExecuteAsync(http);
        return new HttpAnswer(http.Response.StatusCode, http.Response.Headers, body.ToArray());
    }

    // Whatever is logged as an error is one.
    private sealed class FaultLog(World world) : ILogger<FaultBoundary>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) world.Judge.Wrong($"the event API failed: {exception}");
        }
    }
}

using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Outpost.LocalHost.Protocol;

namespace Outpost.LocalHost;

/// <summary>Keeps one worker process running for as long as the host does.</summary>
internal sealed partial class WorkerSupervisor(
    WorkerCommand command, WorkerChannels channels, TimeSpan functionTimeout, bool waitsForDebugger, ILoggerFactory loggers) : IDisposable
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(5);

    // A worker that ran this long counts as healthy. When it ends, the pauses between restarts begin at the shortest again.
    private static readonly TimeSpan Healthy = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RestartMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RestartMax = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = loggers.CreateLogger("Worker");
    private readonly CancellationTokenSource _stop = new();
    private volatile TaskCompletionSource<WorkerSession> _session = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _watching = Task.CompletedTask;
    private Uri? _address;
    private IReadOnlyDictionary<string, string> _environment = new Dictionary<string, string>();

    /// <summary>The worker that is ready now, or the next one as soon as it is.</summary>
    public Task<WorkerSession> SessionAsync(CancellationToken cancellationToken) => _session.Task.WaitAsync(cancellationToken);

    /// <summary>Starts the first worker.</summary>
    /// <exception cref="StartException">The worker does not become ready; what it printed says why.</exception>
    public async Task<WorkerSession> StartAsync(Uri address, IReadOnlyDictionary<string, string> environment)
    {
        (_address, _environment) = (address, environment);
        var session = await OpenAsync();
        _session.SetResult(session);
        _watching = Task.Run(() => WatchAsync(session));
        return session;
    }

    /// <summary>
    /// Runs a function. When it takes longer than <c>functionTimeout</c>, its worker is ended, as in the real host.
    /// </summary>
    /// <exception cref="WorkerEndedException">The worker ended first.</exception>
    public async Task<StatusResult> InvokeAsync(WorkerSession session, string function, InvocationRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await session.Channel.InvokeAsync(request, cancellationToken).WaitAsync(functionTimeout, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            FunctionTakesTooLong(function, functionTimeout);
            session.Process.Kill(entireProcessTree: true);
            throw new WorkerEndedException();
        }
    }

    /// <summary>Ends the worker. It asks first, and kills the process after some seconds.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        if (_session.Task is { IsCompletedSuccessfully: true, Result: var session }) await EndAsync(session.Channel, session.Process);
    }

    public void Dispose() => _stop.Dispose();

    private async Task WatchAsync(WorkerSession session)
    {
        var delay = RestartMin;
        while (!_stop.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            await Task.WhenAny(session.Channel.Ended, session.Process.WaitForExitAsync(CancellationToken.None), Task.Delay(Timeout.Infinite, _stop.Token));
            if (_stop.IsCancellationRequested) return;
            _session = new TaskCompletionSource<WorkerSession>(TaskCreationOptions.RunContinuationsAsynchronously);
            await EndAsync(session.Channel, session.Process);
            if (Stopwatch.GetElapsedTime(began) > Healthy) delay = RestartMin;
            WorkerIsStartedAgain(session.Process.ExitCode, delay.TotalSeconds);
            while (true)
            {
                try
                {
                    await Task.Delay(delay, _stop.Token);
                    delay = delay * 2 < RestartMax ? delay * 2 : RestartMax;
                    session = await OpenAsync();
                    break;
                }
                catch (OperationCanceledException) when (_stop.IsCancellationRequested)
                {
                    return;
                }
                catch (Exception e)
                {
                    WorkerDoesNotStart(e.Message, delay.TotalSeconds);
                }
            }

            WorkerIsBack(session.Process.Id);
            _session.SetResult(session);
        }
    }

    private async Task<WorkerSession> OpenAsync()
    {
        var channel = new WorkerChannel(Write);
        channels.Add(channel);
        var environment = waitsForDebugger ? _environment.Append(new(StartupHook.WaitForDebugger, "1")) : _environment;
        var process = Start(command.StartInfo(_address!, channel.WorkerId, environment));
        process.OutputDataReceived += (_, line) => Print(line.Data);
        process.ErrorDataReceived += (_, line) => Print(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _ = process.WaitForExitAsync(CancellationToken.None).ContinueWith(_ => channel.End(), TaskScheduler.Default);
        if (waitsForDebugger) WaitsForDebugger(process.Id);
        using var within = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        if (!waitsForDebugger) within.CancelAfter(ReadyWithin);
        try
        {
            return await WorkerSession.OpenAsync(channel, process, command.Root, within.Token);
        }
        catch (Exception e)
        {
            await EndAsync(channel, process);
            _stop.Token.ThrowIfCancellationRequested();
            throw e switch
            {
                WorkerEndedException => new StartException(string.Create(
                    CultureInfo.InvariantCulture, $"The worker ended with exit code {process.ExitCode} before it was ready."), process.ExitCode is 0 ? StartException.Invalid : process.ExitCode),
                OperationCanceledException => new StartException($"The worker was not ready after {ReadyWithin.TotalSeconds} seconds."),
                _ => e,
            };
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new StartException($"The worker's program {start.FileName} does not start: {e.Message}");
        }
    }

    private async Task EndAsync(WorkerChannel channel, Process process)
    {
        channel.Terminate(EndsWithin);
        try
        {
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(EndsWithin);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        channel.End();
        channels.Remove(channel);
    }

    // Passes on what the worker's process prints, for whoever watches the host.
    private static void Print(string? line)
    {
        if (line is not null) Console.Error.WriteLine(line);
    }

    // Like the real host, this drops lines without an invocation. An app writes those to an exporter.
    private void Write(RpcLog line)
    {
        if (line.InvocationId.Length == 0 || line.Level == RpcLog.Types.Level.None) return;
        var logger = loggers.CreateLogger(line.Category);
        var message = line.Exception is { } failure ? $"{line.Message} {failure.Type}: {failure.Message}" : line.Message;
        LogOfTheWorker(logger, (LogLevel)line.Level, message);
    }

    [LoggerMessage(1, LogLevel.Warning, "The worker ended with exit code {ExitCode}; it is started again in {Seconds} s")]
    private partial void WorkerIsStartedAgain(int exitCode, double seconds);

    [LoggerMessage(2, LogLevel.Warning, "The worker answers again (process {ProcessId})")]
    private partial void WorkerIsBack(int processId);

    [LoggerMessage(3, LogLevel.Error, "{Reason} The next try is in {Seconds} s")]
    private partial void WorkerDoesNotStart(string reason, double seconds);

    [LoggerMessage(4, LogLevel.Warning, "Process {ProcessId} waits for a debugger: attach one to it")]
    private partial void WaitsForDebugger(int processId);

    [LoggerMessage(6, LogLevel.Error, "{Function} took longer than functionTimeout allows ({Timeout}): its worker is ended")]
    private partial void FunctionTakesTooLong(string function, TimeSpan timeout);

    [LoggerMessage(EventId = 5, Message = "{Line}")]
    private static partial void LogOfTheWorker(ILogger logger, LogLevel level, string line);
}

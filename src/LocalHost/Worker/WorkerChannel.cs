using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Outpost.LocalHost.Protocol;

namespace Outpost.LocalHost;

/// <summary>Exchanges messages with one worker process. Thread-safe.</summary>
internal sealed class WorkerChannel(Action<RpcLog> log)
{
    // A worker that leaves this many messages unread is dead. Requests then fail by their own time limits.
    private const int OutgoingMax = 10_000;

    private readonly Channel<StreamingMessage> _outgoing = Channel.CreateBounded<StreamingMessage>(new BoundedChannelOptions(OutgoingMax) { SingleReader = true });
    private readonly ConcurrentDictionary<string, TaskCompletionSource<StreamingMessage>> _awaited = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The id by which the worker names itself; nobody else knows it.</summary>
    public string WorkerId { get; } = Guid.NewGuid().ToString();

    /// <summary>Completes when the worker has connected.</summary>
    public Task Connected => _connected.Task;

    /// <summary>Completes when the worker's stream or process has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Carries messages both ways until either side ends.</summary>
    public async Task RunAsync(IAsyncStreamReader<StreamingMessage> incoming, IAsyncStreamWriter<StreamingMessage> outgoing, CancellationToken cancellationToken)
    {
        _connected.TrySetResult();
        try
        {
            var writing = WriteAsync(outgoing, cancellationToken);
            while (await incoming.MoveNext(cancellationToken)) Take(incoming.Current);
            _outgoing.Writer.TryComplete();
            await writing;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or Grpc.Core.RpcException or InvalidOperationException)
        {
            // The process has ended or is about to.
        }
        finally
        {
            End();
        }
    }

    /// <summary>Ends the channel. Every request that waits for an answer fails.</summary>
    public void End()
    {
        _outgoing.Writer.TryComplete();
        _ended.TrySetResult();
        foreach (var awaited in _awaited.Values) awaited.TrySetException(new WorkerEndedException());
    }

    public Task<StreamingMessage> InitializeAsync(WorkerInitRequest request, CancellationToken cancellationToken) =>
        AskAsync("init", new StreamingMessage { WorkerInitRequest = request }, cancellationToken);

    public Task<StreamingMessage> ListAsync(string root, CancellationToken cancellationToken) =>
        AskAsync("functions", new StreamingMessage { FunctionsMetadataRequest = new() { FunctionAppDirectory = root } }, cancellationToken);

    public Task<StreamingMessage> LoadAsync(RpcFunctionMetadata function, CancellationToken cancellationToken) => AskAsync(
        $"load {function.FunctionId}",
        new StreamingMessage { FunctionLoadRequest = new() { FunctionId = function.FunctionId, Metadata = function } },
        cancellationToken);

    /// <summary>
    /// Runs a function and returns the worker's report. On cancellation it tells the worker, and still waits for the
    /// report.
    /// </summary>
    public async Task<StatusResult> InvokeAsync(InvocationRequest request, CancellationToken cancellationToken)
    {
        await using var cancel = cancellationToken.UnsafeRegister(
            _ => Send(new StreamingMessage { InvocationCancel = new() { InvocationId = request.InvocationId, GracePeriod = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)) } }), null);
        var answer = await AskAsync($"invocation {request.InvocationId}", new StreamingMessage { InvocationRequest = request }, CancellationToken.None);
        return answer.InvocationResponse.Result;
    }

    public void Terminate(TimeSpan grace)
    {
        Send(new StreamingMessage { WorkerTerminate = new() { GracePeriod = Duration.FromTimeSpan(grace) } });
        _outgoing.Writer.TryComplete();
    }

    private async Task<StreamingMessage> AskAsync(string what, StreamingMessage message, CancellationToken cancellationToken)
    {
        var awaited = _awaited[what] = new TaskCompletionSource<StreamingMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            if (Ended.IsCompleted || !Send(message)) throw new WorkerEndedException();
            return await awaited.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _awaited.TryRemove(what, out _);
        }
    }

    private bool Send(StreamingMessage message)
    {
        message.RequestId = Guid.NewGuid().ToString();
        return _outgoing.Writer.TryWrite(message);
    }

    private async Task WriteAsync(IAsyncStreamWriter<StreamingMessage> outgoing, CancellationToken cancellationToken)
    {
        await foreach (var message in _outgoing.Reader.ReadAllAsync(cancellationToken)) await outgoing.WriteAsync(message, cancellationToken);
    }

    private void Take(StreamingMessage message)
    {
        switch (message.ContentCase)
        {
            case StreamingMessage.ContentOneofCase.RpcLog:
                log(message.RpcLog);
                break;
            case StreamingMessage.ContentOneofCase.WorkerInitResponse:
                Answer("init", message);
                break;
            case StreamingMessage.ContentOneofCase.FunctionMetadataResponse:
                Answer("functions", message);
                break;
            case StreamingMessage.ContentOneofCase.FunctionLoadResponse:
                Answer($"load {message.FunctionLoadResponse.FunctionId}", message);
                break;
            case StreamingMessage.ContentOneofCase.InvocationResponse:
                Answer($"invocation {message.InvocationResponse.InvocationId}", message);
                break;
        }
    }

    private void Answer(string what, StreamingMessage message)
    {
        if (_awaited.TryGetValue(what, out var awaited)) awaited.TrySetResult(message);
    }
}

/// <summary>The worker process ended before it answered.</summary>
internal sealed class WorkerEndedException() : Exception("The worker process ended.");

using System.Collections.Concurrent;
using Grpc.Core;
using Outpost.LocalHost.Protocol;

namespace Outpost.LocalHost;

/// <summary>The channels of the workers that this process has started, by the worker's id.</summary>
internal sealed class WorkerChannels
{
    private readonly ConcurrentDictionary<string, WorkerChannel> _channels = new();

    public void Add(WorkerChannel channel) => _channels[channel.WorkerId] = channel;

    public void Remove(WorkerChannel channel) => _channels.TryRemove(channel.WorkerId, out _);

    public WorkerChannel? Find(string workerId) => _channels.GetValueOrDefault(workerId);
}

/// <summary>The gRPC service that workers connect to.</summary>
internal sealed class WorkerRpc(WorkerChannels channels) : FunctionRpc.FunctionRpcBase
{
    public override async Task EventStream(
        IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken)
            || requestStream.Current.StartStream is not { } start
            || channels.Find(start.WorkerId) is not { } channel)
            throw new Grpc.Core.RpcException(new Status(StatusCode.PermissionDenied, "This host has not started this worker."));
        await channel.RunAsync(requestStream, responseStream, context.CancellationToken);
    }
}

using System.Net;

namespace Outpost.Tests.Simulation;

/// <summary>The network between a client and the app: each request goes to any process, and may get lost, or its answer.</summary>
internal sealed class ConsumerHttp(World world, Random random) : HttpMessageHandler
{
    private const int OneIn = 15;
    private static readonly TimeSpan WayMax = TimeSpan.FromMilliseconds(20);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // HttpClient goes on outside of this world's scheduler.
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        _ = Task.Factory.StartNew(() => AnswerAsync(request.RequestUri!.PathAndQuery, answer, cancellationToken), CancellationToken.None, TaskCreationOptions.None, world.Scheduler);
        return answer.Task;
    }

    private async Task AnswerAsync(string url, TaskCompletionSource<HttpResponseMessage> answer, CancellationToken cancellationToken)
    {
        var left = new TaskCompletionSource();
        using var leaving = cancellationToken.UnsafeRegister(static left => ((TaskCompletionSource)left!).TrySetResult(), left);
        await Task.WhenAny(GoAsync(url, answer, cancellationToken), left.Task);
        if (cancellationToken.IsCancellationRequested) VirtualTime.Outside(() => answer.TrySetCanceled(cancellationToken));
    }

    private async Task GoAsync(string url, TaskCompletionSource<HttpResponseMessage> answer, CancellationToken cancellationToken)
    {
        await Task.Delay(WayMax * random.NextDouble(), world.Time, CancellationToken.None);
        if (IsLost(FaultKind.PullLost))
        {
            VirtualTime.Outside(() => answer.TrySetException(new HttpRequestException("Connection refused")));
            return;
        }

        // Once in a world: it takes the client minutes to ask again.
        if (world.Faults[FaultKind.PullRetryAfter] == 0 && IsLost(FaultKind.PullRetryAfter))
        {
            VirtualTime.Outside(() => answer.TrySetResult(Later()));
            return;
        }

        // A process that is gone says nothing: the client waits until its patience ends.
        var node = world.AnyNode(random);
        var got = await node.Process.Start(() => NodeHttp.GetAsync(world, node, url, cancellationToken));
        await Task.Delay(WayMax * random.NextDouble(), world.Time, CancellationToken.None);
        if (IsLost(FaultKind.PullAnswerLost)) VirtualTime.Outside(() => answer.TrySetException(new HttpRequestException("The response ended prematurely.")));
        else VirtualTime.Outside(() => answer.TrySetResult(Message(got)));
    }

    private bool IsLost(FaultKind kind)
    {
        if (world.IsCalm || !world.Plan.Has(kind) || random.Next(OneIn) > 0) return false;
        world.Fired(kind);
        return true;
    }

    private static HttpResponseMessage Later()
    {
        var message = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Content = new StringContent("{}") };
        message.Headers.Add("Retry-After", "3600");
        return message;
    }

    private static HttpResponseMessage Message(HttpAnswer answer)
    {
        var message = new HttpResponseMessage((HttpStatusCode)answer.Status) { Content = new ByteArrayContent(answer.Body) };
        foreach (var (name, value) in answer.Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, (string?)value)) message.Content.Headers.TryAddWithoutValidation(name, (string?)value);
        }

        return message;
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.AspNetCore;
using Outpost.Tests.Unit.LocalHost;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

/// <summary>A process that stood still goes on: the time for a request is over, and its answer is there.</summary>
public sealed class An_answer_in_the_last_moment
{
    // Found by the simulation, seed 3,782: it was taken for a fault of our own, a 500.
    [Theory]
    [InlineData(true, 204)]
    [InlineData(false, 503)]
    public async Task Is_given_where_it_is_there_by_then(bool isThere, int status)
    {
        var time = new ManualTime(new DateTime(2026, 11, 22, 8, 0, 0, DateTimeKind.Utc));
        var boundary = new FaultBoundary(NullLogger<FaultBoundary>.Instance, time);
        var (request, answer, later) = (Request("/api/events"), new TaskCompletionSource<IResult>(), new Later());
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(later);
        var running = boundary.RunAsync(request, () => answer.Task, CancellationToken.None);
        SynchronizationContext.SetSynchronizationContext(null);

        time.Advance(TimeSpan.FromMinutes(1));
        if (isThere) answer.SetResult(Results.NoContent());
        later.GoOn();
        SynchronizationContext.SetSynchronizationContext(before);

        Assert.Equal(status, (await AnswerAsync(request, await running)).Status);
    }

    /// <summary>Goes on only when told to, as a process that stands still.</summary>
    private sealed class Later : SynchronizationContext
    {
        private readonly Queue<(SendOrPostCallback What, object? State)> _waiting = [];

        public override void Post(SendOrPostCallback d, object? state) => _waiting.Enqueue((d, state));

        public void GoOn()
        {
            while (_waiting.TryDequeue(out var next)) next.What(next.State);
        }
    }
}

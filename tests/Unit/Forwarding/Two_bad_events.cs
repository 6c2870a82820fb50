using Outpost.Forwarding;

namespace Outpost.Tests.Unit.Forwarding;

/// <summary>One handler, two events that fail for an unknown reason: one is parked and retried by an operator, the other is new.</summary>
public sealed class Two_bad_events
{
    private static readonly int[] Bad = [1, 2];

    [Fact]
    public void A_retry_that_fails_again_does_not_keep_a_new_bad_event_from_being_parked() => Scene.Play(async scene =>
    {
        var handled = new List<long>();
        var calls = new Dictionary<long, int>();
        var target = new HandlerTarget<Counted>(
            new Handler(entry =>
            {
                calls[entry.Offset] = calls.GetValueOrDefault(entry.Offset) + 1;
                if (Bad.Contains((int)entry.Offset)) throw new InvalidOperationException("a bug");
                handled.Add(entry.Offset);
            }),
            TallyJson.Default.Counted, new HandlerOptions(), scene.World);
        var process = scene.Process("a");
        var engine = process.Engine([new Forwarder(Scene.Name, target)]);
        process.Forward(engine, TimeSpan.FromSeconds(10));
        await scene.CommitAsync(process);
        await scene.CommitAsync(process);
        // Offset 1 fails five times, and is parked.
        await scene.UntilAsync(() => scene.Table.Row("0000", $"p|{Scene.Name}|{1:D19}") is not null, 120);

        // Somebody presses Retry before the bug is mended, and the next bad event comes.
        var operations = new ForwarderOperations(process.Store, process.Checkpoints, engine, process.Sources);
        Assert.IsType<OperationResult.Done>(await process.Start(() => operations.RetryAsync(Scene.Name, 0, 1, CancellationToken.None)));
        await scene.CommitAsync(process);
        await scene.CommitAsync(process);
        await scene.CommitAsync(process);
        await scene.PassAsync(3600);

        Assert.True(scene.Next == 5, $"After an hour: next {scene.Next} of 5, handled {string.Join(",", handled)}, calls {string.Join(" ", calls.Select(c => $"{c.Key}:{c.Value}"))}");
    });

    private sealed class Handler(Action<EventEntry> handle) : IEventHandler<Counted>
    {
        public Task HandleAsync(Counted payload, EventEntry entry, CancellationToken cancellationToken)
        {
            handle(entry);
            return Task.CompletedTask;
        }
    }
}

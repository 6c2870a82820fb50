using System.Collections.Concurrent;
using Azure.Messaging.ServiceBus;
using static Outpost.Tests.Integration.ServiceBus.BusEntity;

namespace Outpost.Tests.Integration.ServiceBus;

public sealed class A_processor
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Handles_every_message_once_and_gives_back_what_its_handler_threw_at()
    {
        await using var queue = await QueueAsync();
        await queue.SendAsync(Enumerable.Range(0, 40).Select(each => $"{each}"));
        await using var processor = queue.Client.CreateProcessor(queue.Name, new ServiceBusProcessorOptions { MaxConcurrentCalls = 8 });
        var handled = new Handled(40);
        processor.ProcessMessageAsync += args =>
        {
            if (args.Message is { DeliveryCount: 1, SequenceNumber: 7 }) throw new InvalidOperationException("once");
            handled.Add(args.Message);
            return Task.CompletedTask;
        };
        processor.ProcessErrorAsync += handled.NoteAsync;

        await processor.StartProcessingAsync();
        await handled.All.WaitAsync(Patience);
        await processor.StopProcessingAsync();

        Assert.Equal(Enumerable.Range(0, 40), handled.Bodies.Order());
        Assert.Equal(["once"], handled.Errors);
        Assert.Equal(new(0, 0, 0, 0), await queue.CountsAsync());
    }

    [Fact]
    public async Task Keeps_the_lock_of_a_message_while_its_handler_works()
    {
        await using var queue = await QueueAsync(new { LockDuration = "PT2S" });
        await queue.SendAsync("1");
        await using var processor = queue.Client.CreateProcessor(queue.Name);
        var handled = new Handled(1);
        var lapsed = new TaskCompletionSource();
        processor.ProcessMessageAsync += async args =>
        {
            args.MessageLockLostAsync += _ =>
            {
                lapsed.TrySetResult();
                return Task.CompletedTask;
            };
            await Task.WhenAny(lapsed.Task, RenewedAsync(args.Message));
            handled.Add(args.Message);
        };
        processor.ProcessErrorAsync += handled.NoteAsync;

        await processor.StartProcessingAsync();
        await handled.All.WaitAsync(Patience);
        await processor.StopProcessingAsync();

        Assert.False(lapsed.Task.IsCompleted);
        Assert.Empty(handled.Errors);
        Assert.Equal(new(0, 0, 0, 0), await queue.CountsAsync());
    }

    [Fact]
    public async Task Of_sessions_handles_each_session_in_order_and_keeps_its_state()
    {
        await using var topic = await TopicAsync();
        for (var i = 0; i < 5; i++)
        {
            var body = $"{i}";
            await topic.SendToSessionsAsync(Enumerable.Range(0, 8).Select(session => $"s{session}:{body}"));
        }

        await using var processor = topic.Client.CreateSessionProcessor(topic.Name, topic.Subscription, new ServiceBusSessionProcessorOptions
        {
            MaxConcurrentSessions = 4,
            SessionIdleTimeout = TimeSpan.FromSeconds(1),
        });
        var handled = new Handled(40);
        processor.ProcessMessageAsync += async args =>
        {
            var before = (await args.GetSessionStateAsync())?.ToString();
            await args.SetSessionStateAsync(BinaryData.FromString($"{before}{args.Message.Body}"));
            await args.RenewSessionLockAsync();
            handled.Add(args.Message);
        };
        processor.ProcessErrorAsync += handled.NoteAsync;

        await processor.StartProcessingAsync();
        await handled.All.WaitAsync(Patience);
        await processor.StopProcessingAsync();

        Assert.Empty(handled.Errors);
        Assert.All(handled.BySession, each => Assert.Equal([0, 1, 2, 3, 4], each.Value));
        Assert.Equal(8, handled.BySession.Count);
        Assert.Equal(new(0, 0, 0, 0), await topic.CountsAsync());
        await using var session = await topic.AcceptAsync("s3");
        Assert.Equal("01234", (await session.GetSessionStateAsync()).ToString());
    }

    /// <summary>Ends once the lock lasts beyond its first end, by the renewals the processor makes.</summary>
    private static async Task RenewedAsync(ServiceBusReceivedMessage message)
    {
        var first = message.LockedUntil;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (message.LockedUntil < first.AddSeconds(2)) await timer.WaitForNextTickAsync();
    }

    /// <summary>What a processor's handlers saw.</summary>
    private sealed class Handled(int expected)
    {
        private readonly ConcurrentQueue<ServiceBusReceivedMessage> _messages = [];
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<string> Errors { get; } = [];

        public Task All => _all.Task;

        public IEnumerable<int> Bodies => _messages.Select(BodyOf);

        public Dictionary<string, int[]> BySession =>
            _messages.GroupBy(each => each.SessionId).ToDictionary(group => group.Key, group => group.Select(BodyOf).ToArray());

        public void Add(ServiceBusReceivedMessage message)
        {
            _messages.Enqueue(message);
            if (_messages.Count == expected) _all.TrySetResult();
        }

        public Task NoteAsync(ProcessErrorEventArgs args)
        {
            Errors.Enqueue(args.Exception.Message);
            return Task.CompletedTask;
        }

        private static int BodyOf(ServiceBusReceivedMessage message) =>
            int.Parse(message.Body.ToString(), System.Globalization.CultureInfo.InvariantCulture);
    }
}

using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Azure.Messaging.ServiceBus;
using Outpost.Tests.Testing;
using static Outpost.Tests.Integration.ServiceBus.BusEntity;

namespace Outpost.Tests.Integration.ServiceBus;

public sealed partial class The_session_consumer_of_the_docs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Is_the_code_that_runs_here()
    {
        var page = File.ReadAllText(Path.Combine(ServiceBusEmulator.Folder, "..", "..", "docs", "consumers.md"));
        var here = File.ReadAllText(Path.Combine(
            ServiceBusEmulator.Folder, "..", "..", "tests", "Integration", "ServiceBus", "The_session_consumer_of_the_docs.cs"));

        Assert.Equal(Dedented(Code().Match(here).Groups["code"].Value), Block().Match(page).Groups["code"].Value);
    }

    [Fact]
    public async Task Handles_each_event_once_in_order_although_all_come_twice_and_a_replay_again()
    {
        await using var topic = await TopicAsync();
        for (var sequence = 0; sequence < 5; sequence++)
        {
            // twice, without duplicate detection: as when its window has passed
            for (var i = 0; i < 2; i++)
                await topic.Sender.SendMessagesAsync(Enumerable.Range(0, 8).Select(order => Event($"order/{order}", sequence)));
        }

        var replay = Event("order/3", 1);
        replay.ApplicationProperties["replay"] = "r-1";
        await topic.Sender.SendMessageAsync(replay);

        var handled = new ConcurrentQueue<(string Session, string Sequence)>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var errors = new ConcurrentQueue<Exception>();
        await using var processor = await StartAsync(
            topic.Client, topic.Name, message => HandleAsync(message), errors.Enqueue);
        await all.Task.WaitAsync(Patience);
        await processor.StopProcessingAsync();

        Assert.Empty(errors);
        Assert.All(handled.GroupBy(each => each.Session), session => Assert.Equal(
            session.Key == "order/3" ? ["0", "1", "2", "3", "4", "1"] : ["0", "1", "2", "3", "4"],
            session.Select(each => each.Sequence)));
        Assert.Equal(41, handled.Count);

        Task HandleAsync(ServiceBusReceivedMessage message)
        {
            handled.Enqueue((message.SessionId, message.Body.ToString()));
            if (handled.Count == 41) all.TrySetResult();
            return Task.CompletedTask;
        }
    }

    private static async Task<ServiceBusSessionProcessor> StartAsync(
        ServiceBusClient client, string topic, Func<ServiceBusReceivedMessage, Task> handle, Action<Exception> log)
    {
        // <sessions>
        var processor = client.CreateSessionProcessor(topic, "orders", new ServiceBusSessionProcessorOptions
        {
            AutoCompleteMessages = false,
            MaxConcurrentSessions = 32,
        });
        processor.ProcessMessageAsync += async args =>
        {
            var sequence = (string)args.Message.ApplicationProperties["cloudEvents:sequence"];
            var replay = args.Message.ApplicationProperties.ContainsKey("replay"); // wanted again
            var last = (await args.GetSessionStateAsync())?.ToString() ?? "";
            // Fixed width, so text compares like numbers.
            if (replay || string.CompareOrdinal(sequence, last) > 0)
            {
                await handle(args.Message);
                // After the effect, before the message is gone: a crash in between repeats one event, and loses none.
                if (!replay) await args.SetSessionStateAsync(BinaryData.FromString(sequence));
            }

            await args.CompleteMessageAsync(args.Message);
        };
        processor.ProcessErrorAsync += args =>
        {
            log(args.Exception);
            return Task.CompletedTask;
        };
        await processor.StartProcessingAsync();
        // </sessions>
        return processor;
    }

    private static ServiceBusMessage Event(string subject, int sequence) => new($"{sequence}")
    {
        SessionId = subject,
        ApplicationProperties = { ["cloudEvents:sequence"] = $"{sequence:D19}" },
    };

    private static string Dedented(string code)
    {
        var lines = code.TrimEnd().Split('\n');
        var indent = lines.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Concat(lines.Select(line => (line.Length > 0 ? line[indent..] : "") + "\n"));
    }

    [GeneratedRegex("^ *// <sessions>\n(?<code>.*?)^ *// </sessions>$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex("<!-- run: sessions -->\n```cs\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}

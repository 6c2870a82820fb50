#!/usr/bin/env dotnet
#:package Azure.Messaging.ServiceBus
#:property PublishAot=false
#:property UseSharedCompilation=false

// Receives what is on the bus with the official client and prints one line of JSON for each message. Then it completes the message, or
// gives it up as a broken consumer would.
// The package's version is the one of Directory.Packages.props; a copy elsewhere names it: Azure.Messaging.ServiceBus@7.21.0

using System.Text.Encodings.Web;
using System.Text.Json;
using Azure.Messaging.ServiceBus;

const string Usage = """
    dotnet run infra/local/receive.cs [--subscription all] [--max N] [--topic events] [--connection STRING] [--quiet-seconds 5]
                                    [--give-up REASON]

    --give-up puts the messages into the subscription's dead-letter queue. --subscription 'all/$DeadLetterQueue' receives what is there.
    Ends after N messages, or when none has come for the given seconds. The connection is that of the local emulator on
    its default port, or the environment variable ServiceBus.
    """;
const string Local = "Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;";
const int BatchMax = 100;
var json = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

var options = new Dictionary<string, string>
{
    ["--subscription"] = "all",
    ["--max"] = $"{int.MaxValue}",
    ["--topic"] = "events",
    ["--connection"] = Environment.GetEnvironmentVariable("ServiceBus") ?? Local,
    ["--quiet-seconds"] = "5",
    ["--give-up"] = "",
};
for (var i = 0; i < args.Length; i += 2)
{
    if (!options.ContainsKey(args[i]) || i + 1 == args.Length) return Fail($"{args[i]} is no option, or lacks its value.\n{Usage}");
    options[args[i]] = args[i + 1];
}

if (!int.TryParse(options["--max"], out var left) || !int.TryParse(options["--quiet-seconds"], out var seconds) || seconds < 1)
    return Fail($"--max and --quiet-seconds are whole numbers.\n{Usage}");

var quiet = TimeSpan.FromSeconds(seconds);
var (topic, subscription) = (options["--topic"], options["--subscription"]);
try
{
    await using var client = new ServiceBusClient(
        options["--connection"], new ServiceBusClientOptions { RetryOptions = new() { MaxRetries = 0, TryTimeout = quiet } });
    try
    {
        await using var receiver = client.CreateReceiver(topic, subscription);
        await ReceiveAsync(receiver);
    }
    catch (InvalidOperationException)
    {
        // The subscription has sessions, here one for each order: one after the other, until none has a message.
        while (left > 0 && await NextSessionAsync(client) is { } session)
        {
            await using (session) await ReceiveAsync(session);
        }
    }

    return 0;
}
catch (ServiceBusException e)
{
    return Fail($"{e.Reason}: {FirstLine(e)}");
}
catch (Exception e) when (e is FormatException or ArgumentException or UnauthorizedAccessException)
{
    return Fail(FirstLine(e));
}

async Task ReceiveAsync(ServiceBusReceiver receiver)
{
    while (left > 0)
    {
        var messages = await receiver.ReceiveMessagesAsync(Math.Min(left, BatchMax), quiet);
        if (messages.Count == 0) return;
        foreach (var message in messages)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                messageId = message.MessageId,
                sessionId = message.SessionId,
                subject = message.Subject,
                contentType = message.ContentType,
                enqueuedAt = message.EnqueuedTime,
                deadLetterReason = message.DeadLetterReason,
                properties = message.ApplicationProperties,
                body = message.Body.ToString(),
            }, json));
            if (options["--give-up"] is { Length: > 0 } reason) await receiver.DeadLetterMessageAsync(message, reason);
            else await receiver.CompleteMessageAsync(message);
            left--;
        }
    }
}

async Task<ServiceBusSessionReceiver?> NextSessionAsync(ServiceBusClient client)
{
    try
    {
        return await client.AcceptNextSessionAsync(topic, subscription);
    }
    catch (ServiceBusException e) when (e.Reason == ServiceBusFailureReason.ServiceTimeout)
    {
        return null;
    }
}

// The client's messages may go on with a stack trace.
static string FirstLine(Exception e) => e.Message.Split('\n')[0];

static int Fail(string message)
{
    Console.Error.WriteLine(message);
    return 1;
}

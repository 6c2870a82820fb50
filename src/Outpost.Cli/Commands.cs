using System.CommandLine;
using System.Text.Json.Nodes;

namespace Outpost.Cli;

/// <summary>The operator's commands. Each is one request to a running app, and shows what came of it.</summary>
internal static class Commands
{
    private static readonly Option<string?> Url = new("--url") { Description = "Where the app is, such as https://APP.azurewebsites.net; or OUTPOST_URL", Recursive = true };
    private static readonly Option<string?> Key = new("--key") { Description = "The app's admin key, where it needs one; or OUTPOST_KEY", Recursive = true };
    private static readonly Option<string?> Token = new("--token") { Description = "Your access token, where operators sign in; or OUTPOST_TOKEN", Recursive = true };
    private static readonly Option<bool> Json = new("--json") { Description = "The app's answer as it is, for programs", Recursive = true };

    private static readonly Argument<string> Name = new("forwarder") { Description = "The forwarder's name, such as servicebus" };
    private static readonly Option<int?> Partition = new("--partition") { Description = "One partition; without it, all" };
    private static readonly Option<long?> Offset = new("--offset") { Description = "One parked entry" };
    private static readonly Option<string?> Reason = new("--reason") { Description = "Entries that were refused for this reason" };
    private static readonly Option<string?> Type = new("--type") { Description = "Entries of this event type" };
    private static readonly Option<string?> Subject = new("--subject") { Description = "Entries of this subject" };
    private static readonly Option<bool> All = new("--all") { Description = "All parked entries" };
    private static readonly Option<string?> Why = new("--why") { Description = "Why you do this; it is kept and logged" };

    public static RootCommand Root()
    {
        Command[] commands = [.. Reading(), .. Acting(), .. TableCommands.All(Json), Up()];
        var root = new RootCommand("Operates an app on Outpost, and runs one on this machine.");
        foreach (var option in new Option[] { Url, Key, Token, Json }) root.Options.Add(option);
        foreach (var command in commands) root.Subcommands.Add(command);
        return root;
    }

    private static IEnumerable<Command> Reading()
    {
        var every = new Option<int>("--every") { Description = "Seconds between two updates", DefaultValueFactory = _ => 2 };
        var offset = new Option<string>("--offset") { Description = "The first offset, or earliest or latest", DefaultValueFactory = _ => "earliest" };
        var limit = new Option<int>("--limit") { Description = "How many entries, 1 to 1000", DefaultValueFactory = _ => 100 };
        var actions = new Option<int>("--limit") { Description = "How many actions, 1 to 500", DefaultValueFactory = _ => 20 };
        var types = new Option<string?>("--types") { Description = "Only these event types, separated by commas" };
        var byReason = new Option<bool>("--by-reason") { Description = "Show groups of one reason in place of entries" };
        yield return Make("status", "Show the state of the log and its forwarders", [], (app, _, stop) => app.ShowAsync("api/status", Tables.Status, stop));
        yield return Make("watch", "Show the state every few seconds, until Ctrl-C", [every], (app, options, stop) => app.WatchAsync("api/status", Tables.Status, options.GetValue(every), stop));
        yield return Make("events", "List entries of the log", [Partition, offset, limit, types], (app, options, stop) => app.ShowAsync(
            App.Path("api/events", ("partition", options.GetValue(Partition)), ("offset", options.GetValue(offset)), ("limit", options.GetValue(limit)), ("types", options.GetValue(types))), Tables.Events, stop));
        yield return Make("parked", "List the entries that a forwarder's target refused", [Name, limit, byReason], (app, options, stop) => options.GetValue(byReason)
            ? app.ShowAsync(App.Path($"{Forwarder(options)}/parked", ("groupBy", "reason")), Tables.Groups, stop)
            : app.ShowAsync(App.Path($"{Forwarder(options)}/parked", ("limit", options.GetValue(limit))), Tables.Parked, stop));
        yield return Make("history", "List what operators did to a forwarder: who, when, what, why, and what came of it", [Name, actions], (app, options, stop) =>
            app.ShowAsync(App.Path($"{Forwarder(options)}/history", ("limit", options.GetValue(actions))), Tables.History, stop));
    }

    private static IEnumerable<Command> Acting()
    {
        var fromOffset = new Option<long?>("--from-offset") { Description = "The first offset of a range" };
        var toOffset = new Option<long?>("--to-offset") { Description = "The last offset of a range; with skip, where to go on" };
        var from = new Option<string?>("--from") { Description = "Start of a period, such as 2026-11-22T08:00:00Z" };
        var to = new Option<string?>("--to") { Description = "End of a period" };
        var types = new Option<string?>("--types") { Description = "Only these event types, separated by commas" };
        var id = new Option<string?>("--id") { Description = "One entry, by its event id or a dead letter's MessageId" };
        var request = new Option<string>("--id") { Description = "The request's id, which status and history show", Required = true };
        yield return Make("retry", "Deliver parked entries again: one, or all that match", [Name, Partition, Offset, Reason, Type, Subject, All, Why], (app, options, stop) =>
            UnparkAsync(app, options, "retry", null, stop));
        yield return Make("discard", "Discard parked entries: one, or all that match", [Name, Partition, Offset, Reason, Type, Subject, All, Why], (app, options, stop) =>
            UnparkAsync(app, options, "discard", new JsonObject { ["reason"] = options.GetValue(Why) ?? "discarded with outpost" }, stop));
        yield return Make("replay", "Deliver the entries of a range or a period again, marked as a replay", [Name, Partition, fromOffset, toOffset, from, to, id, types, Subject, Why], async (app, options, stop) => await app.AskAsync(
            HttpMethod.Post, $"{Forwarder(options)}/replay",
            options.GetValue(id) is { } one ? await EntryOfAsync(app, one, options.GetValue(Why), stop) : App.Body(
                ("partition", options.GetValue(Partition)), ("fromOffset", options.GetValue(fromOffset)), ("toOffset", options.GetValue(toOffset)), ("from", options.GetValue(from)), ("to", options.GetValue(to)),
                ("subject", options.GetValue(Subject)), ("why", options.GetValue(Why)), ("types", options.GetValue(types) is { } some ? new JsonArray([.. some.Split(',').Select(one => (JsonNode)one)]) : null)),
            stop));
        foreach (var (name, description) in new[] { ("pause", "Stop delivering, in one partition or all"), ("resume", "Deliver again after a pause") })
        {
            yield return Make(name, description, [Name, Partition, Why], (app, options, stop) => app.AskAsync(
                HttpMethod.Post, App.Path($"{Forwarder(options)}/{name}", ("partition", options.GetValue(Partition))), App.Body(("reason", options.GetValue(Why))), stop));
        }

        yield return Make("skip", "Go on after entries that are gone", [Name, Partition, toOffset, Why], (app, options, stop) => app.AskAsync(
            HttpMethod.Post, $"{Forwarder(options)}/skip", App.Body(("partition", options.GetValue(Partition) ?? 0), ("toOffset", options.GetValue(toOffset)), ("why", options.GetValue(Why))), stop));
        yield return Make("take-back", "Take back a retry, discard or replay that is not done", [Name, request], (app, options, stop) =>
            app.AskAsync(HttpMethod.Delete, $"{Forwarder(options)}/requests/{Uri.EscapeDataString(options.GetRequiredValue(request))}", null, stop));
        yield return Make("forget", "Forget a forwarder that no longer exists", [Name], (app, options, stop) => app.AskAsync(HttpMethod.Delete, Forwarder(options), null, stop));
    }

    private static Command Up() => new("up", "Start the isolated Functions app of this folder, Azurite and the Service Bus emulator: --port 7071  --tables-port 10002  --bus-port 5672 (0 = any free one)  --partitions 1  --data DIR (state survives)  --no-build");

    private static Command Make(string name, string description, Symbol[] symbols, Func<App, ParseResult, CancellationToken, Task> run)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            else command.Options.Add((Option)symbol);
        }

        command.SetAction(async (options, stop) =>
        {
            using var app = App.At(options.GetValue(Url), options.GetValue(Key), options.GetValue(Token), options.GetValue(Json));
            await run(app, options, stop);
            return 0;
        });
        return command;
    }

    private static string Forwarder(ParseResult options) => $"api/forwarders/{Uri.EscapeDataString(options.GetRequiredValue(Name))}";

    // The MessageId of a replayed message is the event id, followed by the id of the replay.
    private static async Task<JsonObject> EntryOfAsync(App app, string id, string? why, CancellationToken stop)
    {
        if (!EventId.TryParse(id.Split('~')[0], out var entry))
            throw new Dev.DevException($"--id: '{id}' is not allowed; an event id or MessageId such as k3v9x2ab-0000-0000000000000000041 is.");
        if ($"{(await app.ReadAsync("api/partitions", stop))["log"]}" is var log && log != entry.Log)
            throw new Dev.DevException($"--id: '{id}' is of the log {entry.Log}; this app has the log {log}, in which that offset is another entry.");
        return App.Body(("partition", entry.Partition), ("fromOffset", entry.Offset), ("toOffset", entry.Offset), ("why", why));
    }

    // One entry is named by its offset. Many are named by what they have in common, so that nobody discards all of them
    // by leaving an option out.
    private static Task UnparkAsync(App app, ParseResult options, string verb, JsonObject? one, CancellationToken stop)
    {
        if (options.GetValue(Offset) is { } offset)
            return app.AskAsync(HttpMethod.Post, $"{Forwarder(options)}/parked/{options.GetValue(Partition) ?? 0}/{offset}/{verb}", one, stop);
        var body = App.Body(("reason", options.GetValue(Reason)), ("type", options.GetValue(Type)), ("subject", options.GetValue(Subject)), ("partition", options.GetValue(Partition)));
        if (body.Count == 0 && !options.GetValue(All))
            throw new Dev.DevException($"{verb}: say which: --offset (with --partition), --reason, --type, --subject, --partition, or --all.");
        if (options.GetValue(Why) is { } why) body["why"] = why;
        return app.AskAsync(HttpMethod.Post, $"{Forwarder(options)}/parked/{verb}", body, stop);
    }
}

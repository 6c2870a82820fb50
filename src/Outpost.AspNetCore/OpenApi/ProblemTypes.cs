using System.Text.Json.Nodes;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>One kind of problem, as its page and the OpenAPI document describe it.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Name">Last segment of <c>type</c>.</param>
/// <param name="Title">Title, the same for every problem of this kind.</param>
/// <param name="Meaning">What happened, in a sentence.</param>
/// <param name="Remedy">What the caller can do about it.</param>
/// <param name="Example">An example of <c>detail</c>.</param>
internal sealed record ProblemType(int Status, string Name, string Title, string Meaning, string Remedy, string Example)
{
    /// <summary>Members in addition to the standard ones, each with its schema.</summary>
    public IReadOnlyList<(string Name, JsonObject Schema)> Members { get; init; } = [];
}

/// <summary>Every kind of problem that Outpost answers.</summary>
internal static class ProblemTypes
{
    private const string CheckId = "Check the id.";
    private const string RepeatWithKey = "Repeat the request with the same Idempotency-Key after the seconds that Retry-After names.";

    public static readonly IReadOnlyList<ProblemType> All =
    [
        new(400, "invalid-request", "The request is not valid", "A field, parameter or header is not allowed. The detail names it, its value and what is allowed.",
            "Change the request. Sending the same one again gives the same answer.", "limit: '0' is not allowed; a whole number from 1 to 1000 is.")
        {
            Members =
            [
                ("errors", new JsonObject { ["type"] = "array", ["maxItems"] = 20, ["items"] = new JsonObject { ["type"] = "string" }, ["description"] = "Everything that is wrong with a body." }),
                ("partitions", new JsonObject { ["type"] = "integer", ["description"] = "How many partitions the log has, where the request must choose one." }),
                Offset("oldestOffset"), Offset("headOffset"),
            ],
        },
        new(400, "offset-beyond-head", "The request is not valid", "The offset is beyond the head: this log never had such an entry.",
            "Check that the position belongs to this log. A log that was restored or made again starts over: read it from its oldest entry.",
            "offset: 43 is beyond the head, 42: the log never had it.") { Members = [Offset("headOffset")] },
        new(401, "not-signed-in", "Nobody is signed in", "The request has no bearer token, or none that is valid here.", "Sign in at the app's issuer and send its token.",
            "Operators sign in: send a bearer token of this app's issuer."),
        new(403, "not-an-operator", "This is not allowed", "The token is valid, and its owner does not have the role of an operator.", "Ask whoever runs the app for the role.",
            "The token does not have the role 'Outpost.Operator'."),
        new(404, "sign-in-off", "Not found", "This app has no sign-in for operators.", "Use the admin key, or set Operators__Authority.",
            "This app has no sign-in for operators: its setting Operators__Authority is empty."),
        new(503, "sign-in-unavailable", "Not available right now", "The issuer of operators' tokens does not answer.", "Repeat the request after the seconds that Retry-After names.",
            "The issuer of operators' tokens does not answer."),
        new(403, "not-protected", "This route is not protected", "The app maps this route and does not say who may use it.",
            "Call RequireAuthorization on what MapOutpost returns, or AllowAnonymous where something before the app protects it.",
            "This app does not say who may use this route."),
        new(404, "event-not-found", "Not found", "There is no event with this id.", CheckId, "There is no event 'k3v9x2ab-0000-0000000000000000041'."),
        new(404, "other-log", "Not found", "The event belongs to another log, for example to the one before a restore.",
            "Read this log from its oldest entry, or from the time of your last event.", "id: this event is of log 'zzzzzzzz'; this is log 'k3v9x2ab'.") { Members = [("log", Text("Id of this log."))] },
        new(404, "partition-not-found", "Not found", "The log has no such partition.", "GET /api/partitions lists them.", "There is no such partition; the log has 1, from 0 on."),
        new(404, "forwarder-not-found", "Not found", "There is no such forwarder.", "GET /api/status lists them.", "There is no forwarder 'mail'."),
        new(404, "entry-not-parked", "Not found", "This entry is not parked: it was delivered, discarded, or never refused.", "GET /api/forwarders/{name}/parked lists what is parked.", "There is no such parked entry."),
        new(404, "request-not-found", "Not found", "There is no such request, or it is done.", "GET /api/status lists the requests that are not done.", "'servicebus' has no such request, or it is done."),
        new(404, "problem-type-not-found", "Not found", "No kind of problem has this name.", "Read the detail of the answer that named it.", "There is no page about 'nonsense'."),
        new(409, "behind-parked", "The state forbids it", "The entry waits behind an earlier entry of the same subject.", "Retry or discard the entry that `behind` names. This one follows by itself.",
            "This entry waits behind entry 40: retry or discard that one.") { Members = [Offset("behind")] },
        new(409, "entries-there", "The state forbids it", "Some of the entries to skip are still there.", "Skip to `firstOffset` at most, or let the forwarder deliver them.",
            "'servicebus' is at entry 41, which is there or still to come: there is nothing to skip.") { Members = [Offset("nextOffset"), Offset("firstOffset")] },
        new(409, "forwarder-in-use", "The state forbids it", "A process runs this forwarder, or has run it within the last ten minutes.", "Remove it from every app first, and try again ten minutes later.",
            "'servicebus' is one of this app's forwarders, or another process still runs it; only one that no longer exists can be forgotten."),
        new(410, "offset-expired", "These entries are gone", "Retention deleted these entries.", "Go on at `oldestOffset`, after you have rebuilt what depends on the entries before it.",
            "offset: 3 is older than the oldest retained entry, 17.") { Members = [Offset("oldestOffset"), Offset("headOffset")] },
        new(412, "stale-version", "The version is not current", "If-Match names another version than the current one.", "Read the current state, decide again, and send its ETag.",
            "If-Match names another version; the current one is \"2\".") { Members = [("currentVersion", new JsonObject { ["type"] = "integer", ["format"] = "int64" })] },
        new(413, "too-large", "The request is too large", "The body, or the state and events it leads to, is larger than allowed.", "Send less. A large document belongs in a blob; put its address into the event.",
            "The body has more than 65536 bytes; at most 65536 are allowed.") { Members = [("maxBytes", new JsonObject { ["type"] = "integer" })] },
        new(415, "unsupported-media-type", "The media type is not supported", "The body is not JSON in UTF-8, or it is compressed.", "Send application/json in UTF-8 without a Content-Encoding.",
            "Content-Type: 'text/plain' is not supported; application/json in UTF-8 is."),
        new(422, "idempotency-key-reused", "The idempotency key was used for another request", "The same Idempotency-Key came with another body before.", "Use a new key for a new request, and the old body for a repeat.",
            "Idempotency-Key: this key came with another body before. Use a new key for a new request."),
        new(500, "internal-error", "Something went wrong here", "The app has a fault. It was logged.", "Repeat the request with the same Idempotency-Key. If it fails again, ask the app's operators.",
            "The request could not be completed. It has been logged."),
        new(503, "store-unavailable", "Not available right now", "Table Storage does not answer, or is overloaded. A command may have been done.", RepeatWithKey, "Table Storage does not answer, or is overloaded."),
        new(503, "layout-mismatch", "Not available right now", "The app's settings do not fit the stored log, or the log went back in time.", "Ask the app's operators: its log says more.",
            "This app's settings do not fit the stored log, or the log went back in time; the app's own log says more."),
        new(503, "log-damaged", "Not available right now", "A stored row that the request needs is damaged.", "Ask the app's operators: status and the app's log name the row.",
            "A stored row that the request needs is damaged; status and the app's own log say which."),
        new(503, "busy", "Not available right now", "Too many requests are waiting.", RepeatWithKey, "Too many commands are waiting."),
        new(503, "outcome-unknown", "Not available right now", "Nobody can tell any more whether the command was done.", RepeatWithKey, "Whether this was done is not known."),
        new(503, "stopping", "Not available right now", "This instance stopped before the command was done. It may have been done.", RepeatWithKey,
            "This instance stopped before the request was done. A command may have been done all the same: repeat it with the same Idempotency-Key."),
    ];

    /// <summary>The kind of problem with this name.</summary>
    /// <exception cref="InvalidOperationException">The name is unknown, which is a fault of this program.</exception>
    public static ProblemType Of(string name) => All.FirstOrDefault(type => type.Name == name) ?? throw new InvalidOperationException($"No problem type '{name}'.");

    private static (string, JsonObject) Offset(string name) => (name, new JsonObject { ["type"] = "integer", ["format"] = "int64", ["minimum"] = 0 });

    private static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };
}

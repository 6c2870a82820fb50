using System.Globalization;
using System.Text.RegularExpressions;
using Outpost.Forwarding;

namespace Outpost.AspNetCore;

/// <summary>
/// Says what is wrong, why, and what to do, in words that health, status, the dashboard and the tool share. Pure.
/// </summary>
internal static partial class Troubles
{
    // Azure refuses tokens and signatures of a machine whose clock is a quarter of an hour wrong.
    private static readonly TimeSpan ClockOff = TimeSpan.FromMinutes(5);

    private static readonly (Regex Error, string Cause, string WayOut)[] Causes =
    [
        (TopicMissing(), "{0} has no such topic or queue", "Create it, or correct the setting Forwarder__Topic."),
        (TopicDisabled(), "{0}’s topic is disabled", "Enable it; forwarding then resumes by itself."),
        (Full(), "{0} is full", "Consumers have to make room; forwarding then resumes by itself."),
        (Busy(), "{0} is overloaded", "It asks Outpost to send less; forwarding resumes by itself."),
        (Denied(), "{0} refuses this app’s identity", "Check the connection and the role (Azure Service Bus Data Sender); forwarding then resumes by itself."),
        (RefusesAll(), "{0} refuses one event after the other", "Look at the reasons of the parked events. Forwarding goes on once it accepts one, or once you retry or discard one of the parked events."),
        (RowDamaged(), "The stored row of this forwarder is damaged", "Repair it (docs/operations.md, Damaged rows); forwarding then resumes by itself."),
        (Gone(), "Entries are missing before the next one", "Restore them, or go on after them with outpost skip."),
        (TooSlow(), "{0} does not answer in time", "Outpost keeps trying, and forwarding resumes by itself. Look at what it calls."),
        (Away(), "{0} can’t be reached", "Forwarding resumes by itself."),
    ];

    /// <summary>Why a forwarder fails and what to do, by the first cause that fits its stored error.</summary>
    public static (string Cause, string WayOut) Why(string forwarder, string error)
    {
        var target = forwarder == "servicebus" ? "The bus" : $"The target of {forwarder}";
        var known = Causes.FirstOrDefault(one => one.Error.IsMatch(error));
        return known.Error is null
            ? ($"{target} does not accept events", "Outpost keeps trying, and forwarding resumes by itself.")
            : (string.Format(CultureInfo.InvariantCulture, known.Cause, target), known.WayOut);
    }

    /// <summary>
    /// What is wrong with the store. The text is Outpost's own, because the client's message may hold what is not for
    /// everybody.
    /// </summary>
    public static StoreProblem Of(StoreUnavailableException e) => new(
        e.Code,
        e.Code switch
        {
            "store-forbidden" => "Table Storage does not let this app in. Give the app's identity the role Storage Table Data Contributor, or correct its key.",
            "table-missing" => "The log's table is not there. Restore it from a backup, or start the app again: it then begins a new log.",
            "store-unreadable" => "What was answered is not what Table Storage was asked for. Look at what stands between the app and the store, such as a proxy.",
            _ => "Table Storage did not answer, or is overloaded. Everything resumes by itself once it answers.",
        },
        IsFatal: true);

    /// <summary>What is wrong with forwarding, retention and the clock, worst first.</summary>
    public static IReadOnlyList<StoreProblem> Of(LogStatus status) =>
    [
        .. status.Newer.Select(partition => new StoreProblem(
            "log-went-back",
            $"Partition {partition} has grown with the log, and the layout row does not know of it: the row is older than the partition. New entities are refused. Restore the whole table (docs/restore.md).",
            IsFatal: true)),
        .. status.Timer is { IsMissed: true } timer ? [Missed(timer)] : Array.Empty<StoreProblem>(),
        .. status.Forwarders.SelectMany(Of),
        .. status.Holds.Select(held => Minor(
            "retention-held", $"Partition {held.Partition}: old entries are kept from offset {held.Hold.Offset} on, for {held.Hold.Forwarder}. {WayOut(held.Hold)}")),
        .. status.ClockAhead.Duration() > ClockOff
            ? [Minor("clock-off", $"This machine's clock is {status.ClockAhead.TotalSeconds:0} s ahead of the store's. The store's counts here. Set the machine's clock, before tokens are refused.")]
            : Array.Empty<StoreProblem>(),
    ];

    private static IEnumerable<StoreProblem> Of(ForwarderStatus forwarder)
    {
        var name = forwarder.Name;
        var (waiting, late, parked) = (
            forwarder.Partitions.Sum(one => one.Backlog), forwarder.Partitions.Sum(one => one.Late), forwarder.Partitions.Sum(one => one.Parked));
        switch (forwarder.State)
        {
            case "orphaned":
                yield return Minor(
                    "forwarder-orphaned",
                    $"{name}: {waiting} entries wait and no process runs it: give the app its setting again (for servicebus: ServiceBus), or forget it with DELETE /api/forwarders/{name}.");
                break;
            case "failing":
                var error = forwarder.Partitions.First(one => one.LastError is not null).LastError!;
                var (cause, wayOut) = Why(name, error);
                yield return Minor("forwarder-failing", $"{name} fails: {Sentence(error)} {cause}. {wayOut}");
                break;
            // A forwarder that fails already says why its entries are late.
            case not "failing" when late > 0:
                yield return Minor(
                    "forwarder-late", $"{name}: {late} entries wait for longer than {forwarder.Within?.TotalSeconds:0} s. {(forwarder.State == "paused" ? "Resume it." : "Its target is slow, or the timer runs too seldom.")}");
                break;
        }

        foreach (var blocked in forwarder.Partitions.SelectMany(one => one.Requests).Where(one => one.State == "blocked"))
            yield return Minor("request-blocked", $"{name}: request {blocked.Id} is blocked. {blocked.Reason}");
        if (parked > 0)
            yield return Minor("entries-parked", $"{name}: {parked} {(parked == 1 ? "entry is" : "entries are")} parked, because its target refused them. Look at the reasons (outpost parked {name} --by-reason), and retry or discard them.");
    }

    // What a client says of a fault may end without a full stop.
    private static string Sentence(string error) => error.EndsWith('.') ? error : $"{error}.";

    private static StoreProblem Missed(TimerStanding timer) => Minor(
        "timer-missing",
        $"The timer has missed three of its ticks{(timer.LastTickAt is { } last ? $", and last ran at {last.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}" : "")}: look at FORWARDER_SCHEDULE and at the function Forward; POST /api/forward runs one tick.");

    private static string WayOut(Retention.Hold hold) => hold.Why switch
    {
        "paused" => $"It is paused: outpost resume {hold.Forwarder}.",
        "parked" => "Its target refused that entry: retry or discard it.",
        "replay" => "A replay of that entry is not done: wait, or take it back.",
        _ => "It makes no progress: remove the cause, or forget the forwarder if it is gone for good.",
    };

    private static StoreProblem Minor(string code, string detail) => new(code, detail, IsFatal: false);

    [GeneratedRegex("MessagingEntityNotFound")]
    private static partial Regex TopicMissing();

    [GeneratedRegex("MessagingEntityDisabled")]
    private static partial Regex TopicDisabled();

    [GeneratedRegex("QuotaExceeded")]
    private static partial Regex Full();

    [GeneratedRegex(@"ServiceBusy|\b429\b")]
    private static partial Regex Busy();

    [GeneratedRegex(@"Unauthori[sz]ed|CredentialUnavailable|AuthenticationFailed|\b40[13]\b")]
    private static partial Regex Denied();

    [GeneratedRegex(@"refused \d+ entries in a row")]
    private static partial Regex RefusesAll();

    [GeneratedRegex("^Damaged row")]
    private static partial Regex RowDamaged();

    [GeneratedRegex("are gone before|is not in the log")]
    private static partial Regex Gone();

    [GeneratedRegex("took longer|did not return")]
    private static partial Regex TooSlow();

    [GeneratedRegex(@"ServiceCommunicationProblem|ServiceTimeout|Socket|HttpRequestException|IOException|Timeout|HttpIOException|\b50[0-9]\b", RegexOptions.IgnoreCase)]
    private static partial Regex Away();
}

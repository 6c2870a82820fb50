using System.Globalization;
using System.Text;
using Azure.Data.Tables;
using Outpost.Tables;

namespace Outpost.Tests.Simulation;

/// <summary>An entry as it was committed.</summary>
/// <param name="Step">Of the command that it came from.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Version">Of its entity.</param>
/// <param name="At">Its time.</param>
/// <param name="Payload">As stored.</param>
/// <param name="Receipt">Row key of its command's receipt.</param>
internal sealed record ModelEntry(string Step, string Subject, long Version, DateTimeOffset At, string Payload, string? Receipt);

/// <summary>
/// The log as it must be, told of every write at the moment it takes effect, and what must be true of every write:
/// transactions whole, offsets dense, versions without gaps, each command at most once, and nothing ever changed.
/// </summary>
internal sealed class LogModel(Judge judge, int partitions, int partitionsInTheEnd)
{
    private readonly Partition[] _partitions = [.. Enumerable.Range(0, partitionsInTheEnd).Select(_ => new Partition())];
    private readonly HashSet<string> _commits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Asked> _asked = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Scope, string Key), string> _keys = [];
    private readonly Dictionary<string, List<string>> _steps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<long>> _offsets = new(StringComparer.Ordinal);

    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    /// <summary>How many the log has now: where new entities go.</summary>
    public int Partitions { get; private set; } = partitions;

    public IReadOnlyCollection<Asked> Commands => _asked.Values;

    public long Entries => _partitions.Sum(partition => partition.Entries.Count);

    public long Head(int partition) => _partitions[partition].Entries.Count;

    public ModelEntry Entry(int partition, long offset) => _partitions[partition].Entries[(int)offset];

    /// <summary>Offsets of a subject's entries, in order.</summary>
    public IReadOnlyList<long> OffsetsOf(string subject) => _offsets.TryGetValue(subject, out var offsets) ? offsets : [];

    public long VersionOf(string subject) => _steps.TryGetValue(subject, out var steps) ? steps.Count : 0;

    public string StepOf(string subject, long version) => _steps[subject][(int)version - 1];

    public bool IsKeyUsed(Idempotency idempotency) => _keys.ContainsKey((idempotency.Scope, idempotency.Key));

    public void Ask(Asked asked) => _asked[asked.Step] = asked;

    /// <summary>Rows of one transaction in a partition.</summary>
    public void Changed(int partition, IReadOnlyList<RowChange> changes, DateTimeOffset now)
    {
        var head = changes.FirstOrDefault(change => change.Row == "!head");
        if (head is not null) Committed(partition, head, changes, now);
        foreach (var change in changes)
        {
            switch (change.Row[0])
            {
                case 'e' when head is null && change.After is not null || change is { Before: not null, After: not null, Row: ['e', ..] }:
                    judge.Wrong($"{change.Row} was written outside a commit or changed");
                    break;
                case 'd' when head is null || change.After is null:
                    judge.Wrong($"{change.Row} was written outside a commit or deleted");
                    break;
                case 'r' when head is null && change.After is not null:
                    judge.Wrong($"receipt {change.Row} was written outside a commit");
                    break;
            }
        }
    }

    /// <summary>The layout row was written.</summary>
    public void LayoutChanged(RowChange change)
    {
        var now = (int)(change.After?.Number("Partitions") ?? 0);
        if (now < Partitions) judge.Wrong($"the log had {Partitions} partitions, and has {now}");
        if (now > Partitions) judge.Note($"the log has grown from {Partitions} to {now}");
        Partitions = now;
    }

    /// <summary>The next offset in a head, also of a log that has grown.</summary>
    public static long? NextIn(SimulatedRow head) => head.Number("Next") ?? head.Number("NextOffset");

    // Growing writes a head and nothing else of it than its generation.
    private static bool IsFence(RowChange change, IReadOnlyList<RowChange> changes)
    {
        if (change.After is not { } after || changes.Any(row => row.Row[0] is 'e' or 'd' or 'r') || after.Number("Generation") is not { } generation) return false;
        if (change.Before is not { } before) return NextIn(after) == 0;
        return generation == (before.Number("Generation") ?? 1) + 1
            && (NextIn(before), before.Text("Commit"), before.Time("At")) == (NextIn(after), after.Text("Commit"), after.Time("At"));
    }

    private void Committed(int number, RowChange change, IReadOnlyList<RowChange> changes, DateTimeOffset now)
    {
        if (IsFence(change, changes)) return;
        if ((change.Before?.Number("Generation") ?? 0) > (change.After?.Number("Generation") ?? 0)) judge.Wrong($"a commit took the generation from the head of partition {number}");
        var partition = _partitions[number];
        if (change.After is not { } head)
        {
            judge.Wrong("the head was deleted");
            return;
        }

        var (commit, at) = (head.Text("Commit")!, head.Time("At")!.Value);
        if (!_commits.Add(commit)) judge.Wrong($"commit id {commit} names two lists");
        if (at < partition.At) judge.Wrong($"time went back from {partition.At:O} to {at:O}");
        if (at > now + TimeSpan.FromSeconds(2)) judge.Wrong($"the time {at:O} is later than the store's, {now:O}");
        partition.At = at;
        var events = changes.Where(change => change.Row[0] == 'e').ToList();
        var first = partition.Entries.Count;
        if ((change.Before is { } row ? NextIn(row) : null) is var before && (before ?? 0) != first) judge.Wrong($"the head was {before}, with {first} entries");
        if (events.Count == 0 || NextIn(head) != first + events.Count) judge.Wrong($"the head went from {first} to {NextIn(head)} with {events.Count} events");
        for (var i = 0; i < events.Count; i++) Entered(number, partition, first + i, events[i], commit, at);
        Entities(changes, events, commit);
        Receipts(changes, events, commit);
    }

    private void Entered(int number, Partition partition, long offset, RowChange change, string commit, DateTimeOffset at)
    {
        if (change.After is not { } row) return;
        if (change.Row != string.Create(CultureInfo.InvariantCulture, $"e|{offset:D19}")) judge.Wrong($"{change.Row} is at offset {offset}");
        if (row.Text("Commit") != commit || row.Time("At") != at) judge.Wrong($"{change.Row} is not of commit {commit}");
        var (subject, payload) = (row.Text("Subject")!, PayloadOf(row));
        var step = StepIn(payload);
        // A new one goes where the count of now puts it, and stays there.
        if (!_places.TryGetValue(subject, out var place)) _places[subject] = place = LogLayout.PartitionOf(subject, Partitions);
        if (place != number) judge.Wrong($"{subject} is in partition {number}, and belongs into {place}");
        partition.Entries.Add(new ModelEntry(step, subject, row.Number("Version")!.Value, at, payload, row.Text("Receipt")));
        if (!_offsets.TryGetValue(subject, out var offsets)) _offsets[subject] = offsets = [];
        offsets.Add(offset);
    }

    // Each entity of the transaction: one version more, with the events of one command.
    private void Entities(IReadOnlyList<RowChange> changes, List<RowChange> events, string commit)
    {
        var bySubject = events.Where(change => change.After is not null).GroupBy(change => change.After!.Text("Subject")!).ToList();
        var rows = changes.Where(change => change.Row[0] == 'd').ToDictionary(change => "tally/" + change.Row["d|tally|".Length..]);
        if (rows.Count != bySubject.Count) judge.Wrong($"{rows.Count} entities and events of {bySubject.Count} in commit {commit}");
        foreach (var group in bySubject)
        {
            if (!_steps.TryGetValue(group.Key, out var steps)) _steps[group.Key] = steps = [];
            var step = StepIn(PayloadOf(group.First().After!));
            steps.Add(step);
            var version = steps.Count;
            if (rows.GetValueOrDefault(group.Key)?.After is not { } row || row.Number("Version") != version || row.Text("Commit") != commit ||
                !row.Text("State")!.EndsWith($"\"{step}\"]}}", StringComparison.Ordinal))
                judge.Wrong($"the state of {group.Key} does not fit version {version}, {step}");
            if (group.Any(change => change.After!.Number("Version") != version || StepIn(PayloadOf(change.After)) != step))
                judge.Wrong($"the events of {group.Key} are not all of version {version}, {step}");
            Once(step, group.Key, version, group.Count());
        }
    }

    private void Once(string step, string subject, long version, int events)
    {
        if (!_asked.TryGetValue(step, out var asked) || asked.Subject != subject)
        {
            judge.Wrong($"{step} of {subject} was never asked for");
            return;
        }

        if (asked.IsCommitted) judge.Wrong($"{step} is in the log twice");
        if (asked.Events != events) judge.Wrong($"{step} has {events} events of {asked.Events}");
        asked.Version = version;
        if (asked.Idempotency is { } idempotency && !_keys.TryAdd((idempotency.Scope, idempotency.Key), step))
            judge.Wrong($"key {idempotency.Key} is used by {_keys[(idempotency.Scope, idempotency.Key)]} and by {step}");
    }

    private void Receipts(IReadOnlyList<RowChange> changes, List<RowChange> events, string commit)
    {
        var receipts = changes.Where(change => change.Row[0] == 'r').ToDictionary(change => change.Row);
        var named = events.Select(change => change.After?.Text("Receipt")).OfType<string>().ToHashSet();
        foreach (var name in named)
        {
            if (!receipts.Remove(name, out var receipt) || receipt.Before is not null || receipt.After?.Text("Commit") != commit)
                judge.Wrong($"the receipt of commit {commit} is not in its transaction");
        }

        if (receipts.Count > 0) judge.Wrong($"commit {commit} has receipts that no event names");
        foreach (var change in events.Where(change => change.After is not null))
        {
            var step = StepIn(PayloadOf(change.After!));
            if (_asked.TryGetValue(step, out var asked) && asked.Idempotency is not null && change.After!.Text("Receipt") is null)
                judge.Wrong($"{step} has a key and no receipt");
        }
    }

    /// <summary>An event's payload, in one column or in several.</summary>
    public static string PayloadOf(SimulatedRow row) =>
        row.Text("Payload") ?? Encoding.UTF8.GetString(PayloadColumns.Read(new TableEntity(row.Values), "Payload", isText: true));

    /// <summary>The step in a payload: <c>{"step":"…"}</c>, with padding.</summary>
    public static string StepIn(string payload) => payload.AsSpan()["{\"step\":\"".Length..^2].TrimEnd().ToString();

    private sealed class Partition
    {
        public readonly List<ModelEntry> Entries = [];
        public DateTimeOffset At = DateTimeOffset.MinValue;
    }
}

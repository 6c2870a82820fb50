namespace Outpost.Forwarding;

/// <summary>An entry that was not delivered, and is kept until an operator decides. It holds up no entries of other subjects.</summary>
/// <param name="Partition">Partition of the entry.</param>
/// <param name="Offset">Offset of the entry.</param>
/// <param name="Subject">Subject of the entry. Later entries of the same subject are parked behind it.</param>
/// <param name="Type">Event type.</param>
/// <param name="Reason">Why the target refused the entry; <c>behind {offset}</c> for an entry that waits behind a refused one.</param>
/// <param name="Behind">Offset of the parked entry that this one waits behind; null if it was refused itself.</param>
/// <param name="Attempts">How often a delivery of the entry was refused; 0 for one that waits behind another.</param>
/// <param name="At">When the entry was parked, by the store's clock, in UTC.</param>
public sealed record ParkedEntry(
    int Partition, long Offset, string Subject, string Type, string Reason, long? Behind, int Attempts, DateTimeOffset At);

/// <summary>The parked entries of one forwarder and partition, in memory while the lease is held.</summary>
internal sealed class ParkedEntries
{
    private readonly SortedDictionary<long, ParkedEntry> _byOffset = [];
    private readonly Dictionary<string, SortedSet<long>> _bySubject = new(StringComparer.Ordinal);

    public ParkedEntries(IEnumerable<ParkedEntry> entries)
    {
        foreach (var entry in entries) Add(entry);
    }

    /// <summary>Number of entries that wait behind others.</summary>
    public int Followers { get; private set; }

    public ParkedEntry? this[long offset] => _byOffset.GetValueOrDefault(offset);

    /// <summary>The parked entry behind which a new entry of this subject must wait; null if there is none.</summary>
    public long? Holds(string subject) => _bySubject.TryGetValue(subject, out var offsets) ? offsets.Min : null;

    /// <summary>
    /// Followers whose refused entry is no longer parked, because it was delivered or discarded. Returns the first of one such
    /// subject, in order, at most <paramref name="max"/>. After a crash, an interrupted release goes on with these.
    /// </summary>
    /// <param name="max">The most entries to return.</param>
    /// <param name="mayWait">Says which subjects to pass over; null for none.</param>
    public IReadOnlyList<ParkedEntry> Released(int max, Func<string, bool>? mayWait = null)
    {
        foreach (var (subject, offsets) in _bySubject)
        {
            if (_byOffset[offsets.Min].Behind is null || (mayWait?.Invoke(subject) ?? false)) continue;
            return [.. offsets.Select(offset => _byOffset[offset]).TakeWhile(entry => entry.Behind is not null).Take(max)];
        }

        return [];
    }

    /// <summary>Entries from an offset on that match, in offset order.</summary>
    public IEnumerable<ParkedEntry> Matching(long from, Func<ParkedEntry, bool> matches) =>
        _byOffset.Where(one => one.Key >= from && matches(one.Value)).Select(one => one.Value);

    public void Add(ParkedEntry entry)
    {
        if (_byOffset.TryGetValue(entry.Offset, out var old)) Remove(old.Offset);
        _byOffset[entry.Offset] = entry;
        if (!_bySubject.TryGetValue(entry.Subject, out var offsets)) _bySubject[entry.Subject] = offsets = [];
        offsets.Add(entry.Offset);
        if (entry.Behind is not null) Followers++;
    }

    public void Remove(long offset)
    {
        if (!_byOffset.Remove(offset, out var entry)) return;
        var offsets = _bySubject[entry.Subject];
        offsets.Remove(offset);
        if (offsets.Count == 0) _bySubject.Remove(entry.Subject);
        if (entry.Behind is not null) Followers--;
    }
}

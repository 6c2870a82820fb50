namespace Outpost.Forwarding;

/// <summary>Which entries an operator means. What is null matches any; texts match as they are, character for character.</summary>
internal sealed record EntryFilter
{
    /// <summary>Why a parked entry was refused.</summary>
    public string? Reason { get; init; }

    /// <summary>Event types.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>The subject.</summary>
    public string? Subject { get; init; }

    /// <summary>Whether a parked entry matches: one that was refused itself.</summary>
    public bool Accepts(ParkedEntry entry) =>
        entry.Behind is null && (Reason is null || entry.Reason == Reason) && Accepts(entry.Type, entry.Subject);

    /// <summary>Whether an entry of the log matches.</summary>
    public bool Accepts(EventEntry entry) => Accepts(entry.Type, entry.Subject);

    private bool Accepts(string type, string subject) => (Types is null || Types.Contains(type)) && (Subject is null || Subject == subject);
}

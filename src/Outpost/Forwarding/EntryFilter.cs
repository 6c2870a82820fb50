namespace Outpost.Forwarding;

/// <summary>Which entries an operator means. A property that is null matches any entry. Texts match character for character.</summary>
internal sealed record EntryFilter
{
    /// <summary>The reason for which a parked entry was refused, or what reasons of that cause have in common.</summary>
    public string? Reason { get; init; }

    /// <summary>The event types, any of which matches.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>The subject.</summary>
    public string? Subject { get; init; }

    /// <summary>Whether a parked entry matches. An entry that only waits behind another one never does.</summary>
    public bool Accepts(ParkedEntry entry) =>
        entry.Behind is null && (Reason is null || entry.Reason == Reason || Forwarding.Reason.Common(entry.Reason, entry.Subject) == Reason) && Accepts(entry.Type, entry.Subject);

    /// <summary>Whether an entry of the log matches.</summary>
    public bool Accepts(EventEntry entry) => Accepts(entry.Type, entry.Subject);

    private bool Accepts(string type, string subject) => (Types is null || Types.Contains(type)) && (Subject is null || Subject == subject);
}

namespace Outpost.Forwarding;

/// <summary>Parked entries that were refused for one cause.</summary>
/// <param name="Reason">Why the entries were refused: their reason, or what their reasons have in common. A filter takes either.</param>
/// <param name="Count">Number of entries that were refused themselves.</param>
/// <param name="Followers">Number of entries that wait behind them.</param>
/// <param name="Types">Event types of the refused entries, at most ten.</param>
/// <param name="Since">When the first of the entries was parked.</param>
internal sealed record ParkedGroup(string Reason, long Count, long Followers, IReadOnlyList<string> Types, DateTimeOffset Since)
{
    private const int TypesMax = 10;

    internal ParkedGroup With(ParkedEntry entry, string reason, string common) => entry.Behind is not null ? this with { Followers = Followers + 1 } : this with
    {
        Reason = reason == Reason ? reason : common,
        Count = Count + 1,
        Types = Types.Contains(entry.Type) || Types.Count == TypesMax ? Types : [.. Types, entry.Type],
        Since = entry.At < Since ? entry.At : Since,
    };
}

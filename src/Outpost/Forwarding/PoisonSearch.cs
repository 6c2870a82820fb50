namespace Outpost.Forwarding;

/// <summary>
/// Finds the entry that a target refuses among many, by halving the batch. This costs a few deliveries, and only that entry is
/// parked.
/// </summary>
internal sealed class PoisonSearch
{
    private int _suspects;

    /// <summary>How many entries the next delivery may have.</summary>
    public int Max => _suspects == 0 ? int.MaxValue : Math.Max(1, _suspects / 2);

    /// <summary>Records that the target accepted the first entries.</summary>
    public void Accepted(int count) => _suspects = Math.Max(0, _suspects - count);

    /// <summary>Records that the target refused the first entries. Returns true if the first entry is found to be the refused one.</summary>
    public bool Refused(int attempted)
    {
        _suspects = attempted;
        if (attempted > 1) return false;
        _suspects = 0;
        return true;
    }
}

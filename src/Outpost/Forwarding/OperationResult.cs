namespace Outpost.Forwarding;

/// <summary>What came of an operator's wish.</summary>
internal abstract record OperationResult
{
    private OperationResult()
    {
    }

    /// <summary>It is stored, and will be carried out.</summary>
    /// <param name="ReplayId">What the messages of a replay carry.</param>
    /// <param name="RequestId">What it is taken back by.</param>
    public sealed record Done(string? ReplayId = null, string? RequestId = null) : OperationResult;

    /// <summary>The request is stored, and will be carried out for every entry that matched.</summary>
    /// <param name="Count">Entries that matched; 0: nothing was requested.</param>
    /// <param name="RequestId">What it is taken back by, in all partitions; null: nothing was requested.</param>
    public sealed record Matched(long Count, string? RequestId) : OperationResult
    {
        /// <summary>What the messages of a replay carry; null: it is none.</summary>
        public string? ReplayId { get; init; }
    }

    /// <summary>The forwarder goes on at <paramref name="To"/>; what is below is lost to it.</summary>
    public sealed record Skipped(long From, long To) : OperationResult;

    /// <summary>There is no such request, or it is done.</summary>
    public sealed record NoRequest : OperationResult;

    /// <summary>Only entries from <paramref name="Next"/> to below <paramref name="There"/> are gone.</summary>
    public sealed record NotGone(long Next, long There) : OperationResult;

    /// <summary>There is no such forwarder or parked entry.</summary>
    public sealed record NotFound : OperationResult;

    /// <summary>The entry waits behind another: that one decides.</summary>
    public sealed record Behind(long Offset) : OperationResult;

    /// <summary>The range is not in the log.</summary>
    public sealed record OutOfRange(long Oldest, long Head) : OperationResult;

    /// <summary>The forwarder is one of this process's own.</summary>
    public sealed record InUse : OperationResult;

    /// <summary>Too many wishes wait, or too many operators write at once.</summary>
    public sealed record TooMany : OperationResult;
}

namespace Outpost.Forwarding;

/// <summary>The result of what an operator asked for.</summary>
internal abstract record OperationResult
{
    private OperationResult()
    {
    }

    /// <summary>The request is stored, and will be carried out.</summary>
    /// <param name="ReplayId">The id that the messages of a replay carry; null if it is not a replay.</param>
    /// <param name="RequestId">The id by which the request can be taken back; null if there is none.</param>
    public sealed record Done(string? ReplayId = null, string? RequestId = null) : OperationResult;

    /// <summary>The request is stored, and will be carried out for every entry that matched.</summary>
    /// <param name="Count">Number of entries that matched; 0 if nothing was requested.</param>
    /// <param name="RequestId">The id by which the request can be taken back in all partitions; null if nothing was requested.</param>
    public sealed record Matched(long Count, string? RequestId) : OperationResult
    {
        /// <summary>The id that the messages of a replay carry; null if it is not a replay.</summary>
        public string? ReplayId { get; init; }
    }

    /// <summary>The forwarder goes on at <paramref name="To"/>. The entries below are lost to it.</summary>
    public sealed record Skipped(long From, long To) : OperationResult;

    /// <summary>There is no such request, or it is done.</summary>
    public sealed record NoRequest : OperationResult;

    /// <summary>Only entries from <paramref name="Next"/> to below <paramref name="There"/> are gone.</summary>
    public sealed record NotGone(long Next, long There) : OperationResult;

    /// <summary>There is no such forwarder or parked entry.</summary>
    public sealed record NotFound : OperationResult;

    /// <summary>The entry waits behind the one at <paramref name="Offset"/>, which decides for both.</summary>
    public sealed record Behind(long Offset) : OperationResult;

    /// <summary>The range is not in the log.</summary>
    public sealed record OutOfRange(long Oldest, long Head) : OperationResult;

    /// <summary>The forwarder is one of this process's own.</summary>
    public sealed record InUse : OperationResult;

    /// <summary>Too many requests wait, or too many operators write at once.</summary>
    public sealed record TooMany : OperationResult;
}

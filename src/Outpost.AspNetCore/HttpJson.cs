using System.Text.Json.Serialization;

namespace Outpost.AspNetCore;

/// <summary>Answer of <c>GET /api/partitions</c>.</summary>
internal sealed record PartitionsAnswer(string Log, IReadOnlyList<int>? Counts, IReadOnlyList<PartitionAnswer> Partitions);

/// <summary>One partition in the answer of <c>GET /api/partitions</c>.</summary>
internal sealed record PartitionAnswer(int Partition, long OldestOffset, long HeadOffset, string? HeadTimestamp);

/// <summary>Answer of <c>GET /api/partitions/{partition}/offset-at</c>.</summary>
internal sealed record OffsetAnswer(long Offset);

/// <summary>Answer of <c>GET /api/status</c>.</summary>
internal sealed record StatusAnswer(
    string Log, StatusTimer? Timer, IReadOnlyList<StatusPartition> Partitions, IReadOnlyList<StatusForwarder> Forwarders, IReadOnlyList<HealthProblem> Problems,
    StatusRecent? Recent);

/// <summary>The log's state over the last ten minutes, as far as the process that answers has looked since its start.</summary>
/// <param name="BeganSecondsAgo">How many seconds that process has looked for.</param>
/// <param name="Samples">The samples, oldest first.</param>
internal sealed record StatusRecent(double BeganSecondsAgo, IReadOnlyList<StatusSample> Samples);

/// <summary>The log's state at one time.</summary>
/// <param name="AgeSeconds">How many seconds ago that was.</param>
/// <param name="Head">Entries ever committed, in all partitions.</param>
/// <param name="Forwarders">The first 16 forwarders.</param>
internal sealed record StatusSample(double AgeSeconds, long Head, IReadOnlyList<StatusForwarderSample> Forwarders);

/// <summary>How far a forwarder had come, in all partitions together.</summary>
internal sealed record StatusForwarderSample(string Name, long Next, long Backlog);

/// <summary>The timer in the status.</summary>
internal sealed record StatusTimer(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LastTickAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Schedule,
    bool IsMissed);

/// <summary>One partition in the status.</summary>
internal sealed record StatusPartition(int Partition, long OldestOffset, long HeadOffset, string? HeadTimestamp);

/// <summary>One forwarder in the status.</summary>
internal sealed record StatusForwarder(
    string Name,
    string State,
    bool IsKnownHere,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? WithinSeconds,
    long Late,
    int Parked,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LastError,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FailingSince,
    int ConsecutiveFailures,
    int RefusedInARow,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LastWriteAt,
    IReadOnlyList<StatusRequest> Requests,
    IReadOnlyList<StatusForwarderPartition> Partitions)
{
    /// <summary>What <see cref="LastError"/> means.</summary>
    public string? Cause { get; init; }

    /// <summary>What to do about it.</summary>
    public string? WayOut { get; init; }
}

/// <summary>An operator's request to that forwarder, in one partition.</summary>
internal sealed record StatusRequest(
    string Id,
    string Kind,
    int Partition,
    long Offset,
    long? ToOffset,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? At,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? By,
    string State,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] StatusProgress? Progress,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Reason);

/// <summary>How many entries of a replay are dealt with, and how many there are.</summary>
internal sealed record StatusProgress(long Done, long Of);

/// <summary>The state of that forwarder in one partition.</summary>
internal sealed record StatusForwarderPartition(
    int Partition,
    long NextOffset,
    long Backlog,
    double OldestUnforwardedAgeSeconds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LeaseOwner,
    bool Paused,
    int Parked,
    long Late,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LastError)
{
    /// <summary>Since when it is paused.</summary>
    public string? PausedAt { get; init; }

    /// <summary>Who paused it.</summary>
    public string? PausedBy { get; init; }

    /// <summary>Why it is paused.</summary>
    public string? PausedReason { get; init; }
}

/// <summary>One group of <c>GET /api/forwarders/{name}/parked?groupBy=reason</c>.</summary>
internal sealed record ParkedGroupAnswer(string Reason, long Count, long Followers, IReadOnlyList<string> Types, string Since);

/// <summary>Answer to an operator's request about many entries.</summary>
/// <param name="Name">The forwarder.</param>
/// <param name="Id">The id that takes the request back.</param>
/// <param name="Replay">The id that replayed messages carry.</param>
/// <param name="Count">How many entries match.</param>
internal sealed record MatchedAnswer(string Name, string? Id, string? Replay, long Count);

/// <summary>One entry of <c>GET /api/forwarders/{name}/parked</c>.</summary>
internal sealed record ParkedAnswer(
    int Partition, long Offset, string Id, string Type, string Subject, string Reason, long? Behind, int Attempts, string At);

/// <summary>An operator's action, and what came of it.</summary>
internal sealed record ActionAnswer(
    string Id, string At, string? By, string Action, string Detail, string? Reason, string? Request, string Outcome, string? OutcomeDetail);

/// <summary>Answer to an operator's request that will be carried out.</summary>
/// <param name="Name">The forwarder.</param>
/// <param name="Id">The id that takes the request back.</param>
/// <param name="Replay">The id that replayed messages carry.</param>
internal sealed record AcceptedAnswer(string Name, string? Id, string? Replay);

/// <summary>Answer to a request that is taken back.</summary>
internal sealed record TakenBackAnswer(string Name, string Id);

/// <summary>Answer to a tick.</summary>
internal sealed record ForwardAnswer(long Delivered, long Batches, int FailedPartitions);

/// <summary>Answer to a skip.</summary>
internal sealed record SkippedAnswer(string Name, int Partition, long FromOffset, long ToOffset, long Lost);

/// <summary>Answer to a pause or its end.</summary>
internal sealed record PausedAnswer(string Name, int? Partition, bool Paused);

/// <summary>Answer of <c>GET /api/health</c>.</summary>
internal sealed record HealthAnswer(string Status, IReadOnlyList<HealthProblem> Problems);

/// <summary>One reason why something is wrong.</summary>
internal sealed record HealthProblem(string Code, string Detail);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PartitionsAnswer))]
[JsonSerializable(typeof(OffsetAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(ParkedAnswer[]))]
[JsonSerializable(typeof(ActionAnswer[]))]
[JsonSerializable(typeof(ParkedGroupAnswer[]))]
[JsonSerializable(typeof(MatchedAnswer))]
[JsonSerializable(typeof(AcceptedAnswer))]
[JsonSerializable(typeof(PausedAnswer))]
[JsonSerializable(typeof(TakenBackAnswer))]
[JsonSerializable(typeof(ForwardAnswer))]
[JsonSerializable(typeof(SkippedAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
internal sealed partial class HttpJson : JsonSerializerContext;

using System.Text.Json;

namespace Outpost.Forwarding;

/// <summary>What operators ask of a forwarder in one partition. Written by operators only.</summary>
/// <param name="IsPaused">Nothing is delivered until it is resumed.</param>
/// <param name="Requests">Asked for, in order of <see cref="ControlRequest.Number"/>; those carried out drop out later.</param>
/// <param name="Tag">The store's concurrency token; null: not stored yet.</param>
public sealed record Control(bool IsPaused, IReadOnlyList<ControlRequest> Requests, string? Tag)
{
    /// <summary>Requests waiting in one partition; more would not fit in one property, and nobody would oversee them.</summary>
    public const int RequestsMax = 100;

    // Of their ids and reasons, as JSON: with everything else of a hundred requests it stays below the 32 Ki of a property.
    private const int TextMax = 16 * 1024;

    /// <summary>Nothing is asked.</summary>
    public static readonly Control None = new(false, [], null);

    /// <summary>The first request that is still to be carried out; null: none.</summary>
    public ControlRequest? NextAfter(long done) => Requests.FirstOrDefault(request => request.Number > done);

    /// <summary>With one more request. Requests carried out drop out. Null: too many wait.</summary>
    public Control? With(ControlRequest request, long done)
    {
        var waiting = Requests.Where(r => r.Number > done).ToList();
        if (waiting.Count >= RequestsMax || waiting.Append(request).Sum(r => JsonEncodedText.Encode(r.Id ?? "").Value.Length) > TextMax) return null;
        var number = Math.Max(Requests.Count == 0 ? 0 : Requests[^1].Number, done) + 1;
        return this with { Requests = [.. waiting, request with { Number = number }] };
    }
}

/// <summary>One thing an operator asks for.</summary>
/// <param name="Number">1, 2, 3, … in a partition; given when it is stored.</param>
/// <param name="Kind">What.</param>
/// <param name="Offset">The parked entry, or the first of a replay.</param>
/// <param name="ToOffset">The last of a replay.</param>
/// <param name="Id">Names a replay: its messages carry it.</param>
public sealed record ControlRequest(long Number, ControlRequestKind Kind, long Offset, long? ToOffset = null, string? Id = null);

/// <summary>What can be asked for.</summary>
public enum ControlRequestKind
{
    /// <summary>Deliver a range again, marked as a replay.</summary>
    Replay,

    /// <summary>Deliver a parked entry, and then those behind it.</summary>
    Retry,

    /// <summary>Give a parked entry up; those behind it are delivered.</summary>
    Discard,
}

using Outpost.Forwarding;

namespace Outpost.AspNetCore;

/// <summary>Reads the bodies of operators' requests.</summary>
internal static class OperationBodies
{
    /// <summary>The most bytes of a body; a longer body is answered 413.</summary>
    public const int BytesMax = 4 * 1024;

    private const int ReasonCharactersMax = 500;
    private const int ParkedReasonCharactersMax = 1000;
    private const int TypesMax = 50;

    public static string Reason(JsonFields body) => body.Text("reason", 1, ReasonCharactersMax);

    public static string? OptionalReason(JsonFields body) => body.OptionalText("reason", 1, ReasonCharactersMax);

    public static (int Partition, long From, long To, EntryFilter? Filter, string? Why) ReplayRange(JsonFields body, int partitions) => (
        body.Integer("partition", 0, partitions - 1), body.Long("fromOffset", 0, long.MaxValue - 1), body.Long("toOffset", 0, long.MaxValue - 1), ReplayFilter(body), Why(body));

    public static (DateTimeOffset From, DateTimeOffset To, EntryFilter? Filter, string? Why) ReplayTime(JsonFields body) =>
        (body.Time("from"), body.Time("to"), ReplayFilter(body), Why(body));

    public static (EntryFilter Filter, int? Partition, string? Why) Parked(JsonFields body, int partitions)
    {
        var reason = body.OptionalText("reason", 1, ParkedReasonCharactersMax, allowed: _ => true);
        var type = body.OptionalText("type", 1, Limits.HeaderCharactersMax);
        var subject = body.OptionalText("subject", 1, Limits.KeyPartCharactersMax);
        return (new EntryFilter { Reason = reason, Types = type is null ? null : [type], Subject = subject }, body.OptionalInteger("partition", 0, partitions - 1), Why(body));
    }

    public static (int Partition, long To, string? Why) Skip(JsonFields body, int partitions) =>
        (body.Integer("partition", 0, partitions - 1), body.Long("toOffset", 0, long.MaxValue - 1), Why(body));

    private static string? Why(JsonFields body) => body.OptionalText("why", 1, ReasonCharactersMax);

    private static EntryFilter? ReplayFilter(JsonFields body)
    {
        var types = body.OptionalTexts("types", 1, TypesMax, Limits.HeaderCharactersMax);
        var subject = body.OptionalText("subject", 1, Limits.KeyPartCharactersMax);
        return types is null && subject is null ? null : new EntryFilter { Types = types, Subject = subject };
    }
}

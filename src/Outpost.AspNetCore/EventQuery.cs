using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>The query of <c>GET /api/events</c>, checked.</summary>
/// <param name="Partition">Which partition.</param>
/// <param name="Offset">Where to start; null with <paramref name="Latest"/> or for <c>earliest</c>.</param>
/// <param name="Latest">Whether to start at the head.</param>
/// <param name="Limit">The most entries of the answer.</param>
/// <param name="Wait">How long to wait for an entry.</param>
/// <param name="Types">The event types to answer; null: all.</param>
internal sealed record EventQuery(int Partition, long? Offset, bool Latest, int Limit, TimeSpan Wait, IReadOnlySet<string>? Types)
{
    /// <summary>The most entries of a page unless asked otherwise.</summary>
    public const int LimitDefault = 100;

    /// <summary>The longest wait in seconds. Proxies and clients cut a request off after more.</summary>
    public const int WaitSecondsMax = 25;

    /// <summary>The most event types of a filter.</summary>
    public const int TypesMax = 100;

    /// <summary>Name of the parameter that said where to start, for problems.</summary>
    public string OffsetFrom { get; init; } = "offset";

    /// <summary>Identifies the filter, whatever the order of its types; empty: no filter.</summary>
    public string TypesTag { get; } = Types is null
        ? ""
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(',', Types.Order(StringComparer.Ordinal))))[..16]);

    /// <summary>Reads the query; null and a problem where a parameter is not allowed.</summary>
    public static (EventQuery? Query, Problem? Problem) Read(IQueryCollection query, int partitions)
    {
        if (QueryParameters.Refuse(query, "offset", "limit", "partition", "wait", "types") is { } unknown) return (null, unknown);

        var offsetText = query["offset"].ToString();
        long? offset = null;
        if (offsetText.Length == 0 && !query.ContainsKey("offset")) offset = 0;
        else if (offsetText is not ("earliest" or "latest"))
        {
            if (!QueryParameters.TryParse(offsetText, 0, long.MaxValue, out var number))
                return (null, QueryParameters.NotAllowed("offset", offsetText, "a whole number from 0 on, earliest or latest"));
            offset = number;
        }

        if (!QueryParameters.TryParse(query["limit"], 1, Limits.PageEntriesMax, out var limit, LimitDefault))
            return (null, QueryParameters.NotAllowed("limit", query["limit"], $"a whole number from 1 to {Limits.PageEntriesMax}"));
        if (!QueryParameters.TryParse(query["wait"], 0, WaitSecondsMax, out var wait, 0))
            return (null, QueryParameters.NotAllowed("wait", query["wait"], $"a whole number of seconds from 0 to {WaitSecondsMax}"));
        var (partition, partitionProblem) = QueryParameters.Partition(query, partitions);
        if (partitionProblem is not null) return (null, partitionProblem);
        var (types, typesProblem) = ReadTypes(query);
        if (typesProblem is not null) return (null, typesProblem);
        return (new EventQuery(partition, offset, offsetText == "latest", (int)limit, TimeSpan.FromSeconds(wait), types), null);
    }

    private static (IReadOnlySet<string>? Types, Problem? Problem) ReadTypes(IQueryCollection query)
    {
        if (!query.ContainsKey("types")) return (null, null);
        var types = query["types"].ToString().Split(',');
        return types.Length <= TypesMax && types.All(type => type.Length is >= 1 and <= Limits.HeaderCharactersMax)
            ? (types.ToHashSet(StringComparer.Ordinal), null)
            : (null, QueryParameters.NotAllowed("types", query["types"], $"1 to {TypesMax} event types, separated by commas"));
    }
}

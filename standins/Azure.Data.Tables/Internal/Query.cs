using Azure.Core;

namespace Azure.Data.Tables.Internal;

/// <summary>A query's options and where its next page begins.</summary>
internal sealed record Query(string? Filter, string? Select)
{
    public int? Top { get; init; }

    /// <summary>Name and value of the parameters that continue the query.</summary>
    public IReadOnlyList<(string Name, string Value)> From { get; init; } = [];

    public void AppendTo(RequestUriBuilder uri)
    {
        if (Top is { } top)
            uri.AppendQuery("$top", top.ToString(System.Globalization.CultureInfo.InvariantCulture), true);
        if (Select is not null)
            uri.AppendQuery("$select", Select, true);
        if (Filter is not null)
            uri.AppendQuery("$filter", Filter, true);
        foreach (var (name, value) in From)
            uri.AppendQuery(name, value, true);
    }
}

using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Outpost.AspNetCore;

/// <summary>Reads query parameters strictly.</summary>
internal static class QueryParameters
{
    // These parameters are the Functions host's own: the function key and its name.
    private static readonly string[] HostsOwn = ["code", "clientId"];

    /// <summary>A problem where a parameter is unknown or comes twice; null: there is none.</summary>
    public static Problem? Refuse(IQueryCollection query, params string[] known)
    {
        foreach (var (name, values) in query)
        {
            if (HostsOwn.Contains(name, StringComparer.Ordinal)) continue;
            if (!known.Contains(name, StringComparer.Ordinal))
                return Problem.BadRequest(
                    $"{Shown(name)}: there is no such parameter; {(known.Length == 0 ? "none is" : string.Join(", ", known) + " are")} allowed.");
            if (values.Count > 1) return Problem.BadRequest($"{name}: came {values.Count} times; once is allowed.");
        }

        return null;
    }

    /// <summary>A problem that names the parameter, its value, and what is allowed.</summary>
    public static Problem NotAllowed(string name, string? value, string allowed) =>
        Problem.BadRequest($"{name}: '{Shown(value ?? "")}' is not allowed; {allowed} is.");

    /// <summary>Reads a whole number in plain digits; <paramref name="missing"/> where the parameter is missing.</summary>
    public static bool TryParse(StringValues values, long min, long max, out long number, long? missing = null)
    {
        number = missing ?? 0;
        if (values.Count == 0 && missing is not null) return true;
        var text = values.ToString();
        // The number parser ignores a NUL at the end.
        return !text.AsSpan().ContainsAnyExceptInRange('0', '9')
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= min && number <= max;
    }

    /// <summary>Reads the partition. It may be left out where the log has only one.</summary>
    public static (int Partition, Problem? Problem) Partition(IQueryCollection query, int partitions)
    {
        if (!query.ContainsKey("partition"))
        {
            return partitions == 1
                ? (0, null)
                : (0, Problem.BadRequest($"partition: is missing; the log has partitions 0 to {partitions - 1}.").With("partitions", partitions));
        }

        return TryParse(query["partition"], 0, partitions - 1, out var partition)
            ? ((int)partition, null)
            : (0, NotAllowed("partition", query["partition"], partitions == 1 ? "0" : $"0 to {partitions - 1}"));
    }

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}

using System.Globalization;

namespace Outpost;

/// <summary>What is asked of all partitions of a log that may grow meanwhile.</summary>
internal static class AllPartitions
{
    /// <summary>
    /// Reads each partition, by number. Any of them tells when the log has grown, and then those that came are read too.
    /// </summary>
    public static async Task<IReadOnlyList<T>> OfAllPartitionsAsync<T>(
        this IEventStore store, Func<int, Task<T>> read, CancellationToken cancellationToken)
    {
        var all = new List<T>();
        while ((await store.LayoutAsync(cancellationToken)).Partitions is var partitions && all.Count < partitions)
            all.AddRange(await Task.WhenAll(Enumerable.Range(all.Count, partitions - all.Count).Select(read)));
        return all;
    }

    /// <summary>The layout by which a partition that somebody names is looked for: another process may know of more than this one.</summary>
    public static async Task<LogLayout> LayoutWithAsync(this IEventStore store, string? partition, CancellationToken cancellationToken)
    {
        var layout = await store.LayoutAsync(cancellationToken);
        return int.TryParse(partition, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= layout.Partitions && number < Limits.PartitionsMax
            ? await store.RefreshLayoutAsync(cancellationToken)
            : layout;
    }
}

using System.Globalization;

namespace Outpost;

/// <summary>Reads all partitions of a log that may grow meanwhile.</summary>
internal static class AllPartitions
{
    /// <summary>
    /// Reads each partition, by number. If one of the reads shows that the log has grown, reads the new partitions too.
    /// </summary>
    public static async Task<IReadOnlyList<T>> OfAllPartitionsAsync<T>(
        this IEventStore store, Func<int, Task<T>> read, CancellationToken cancellationToken)
    {
        var all = new List<T>();
        while ((await store.LayoutAsync(cancellationToken)).Partitions is var partitions && all.Count < partitions)
            all.AddRange(await Task.WhenAll(Enumerable.Range(all.Count, partitions - all.Count).Select(read)));
        return all;
    }

    /// <summary>The layout in which to look for a partition that somebody names. Another process may know of more partitions than this one.</summary>
    public static async Task<LogLayout> LayoutWithAsync(this IEventStore store, string? partition, CancellationToken cancellationToken)
    {
        var layout = await store.LayoutAsync(cancellationToken);
        return int.TryParse(partition, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= layout.Partitions && number < Limits.PartitionsMax
            ? await store.RefreshLayoutAsync(cancellationToken)
            : layout;
    }
}

using System.Globalization;
using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>The layout row: the log's id, the partition counts it has had, and the next one while it grows.</summary>
/// <param name="Tag">The store's concurrency token.</param>
/// <param name="Layout">The current layout.</param>
/// <param name="Growing">The next partition count; null while the log does not grow.</param>
internal sealed record LayoutRow(ETag Tag, LogLayout Layout, int? Growing)
{
    public const long SchemaVersion = 1;

    // The schema once a log has begun to grow: a version that knows only one count refuses to start.
    public const long SchemaOfGrown = 2;

    public static TableEntity New(string log, int partitions) => new(Keys.LayoutPartition, Keys.Layout)
    {
        ["Schema"] = SchemaVersion,
        ["Partitions"] = (long)partitions,
        ["Log"] = log,
    };

    public static LayoutRow Read(TableEntity row, string table)
    {
        var schema = row.Whole("Schema");
        if (schema is not (SchemaVersion or SchemaOfGrown))
        {
            throw new LayoutMismatchException(
                $"Table '{table}' has schema version {schema}; this program reads and writes versions {SchemaVersion} and {SchemaOfGrown}.");
        }

        var partitions = (int)row.Whole("Partitions", Limits.PartitionsMax);
        var log = row.Text("Log");
        if (!EventId.TryParse($"{log}-0000-{0:D19}", out _)) throw Fields.Damage(row, "Log", log, "an id of eight characters");
        var layout = new LogLayout(log, partitions);
        if (row.TextOrNull("Counts") is { } counts) layout = layout with { Counts = ReadCounts(row, counts, partitions) };
        return new LayoutRow(row.ETag, layout, (int?)row.WholeOrNull("Growing", Limits.PartitionsMax));
    }

    public TableEntity Write()
    {
        var row = New(Layout.Log, Layout.Partitions);
        row["Schema"] = SchemaOfGrown;
        row["Counts"] = string.Join(',', Layout.Counts);
        if (Growing is { } growing) row["Growing"] = (long)growing;
        return row;
    }

    private static int[] ReadCounts(TableEntity row, string text, int partitions)
    {
        var counts = text.Split(',').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0).ToArray();
        var isRising = counts[0] >= 1 && counts.Zip(counts.Skip(1)).All(pair => pair.First < pair.Second);
        return isRising && counts[^1] == partitions ? counts : throw Fields.Damage(row, "Counts", text, $"rising counts up to {partitions}");
    }
}

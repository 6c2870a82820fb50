using System.Text.Json;

namespace Outpost.Client;

/// <summary>
/// Keeps positions in a file: one file for each reader, for one process at a time. Each store replaces the whole file
/// and flushes it to the disk, so after a crash the file holds either the old or the new positions. It is a JSON array
/// of positions as text, one for each partition. An operator may edit it while the reader is stopped.
/// </summary>
/// <param name="path">The file; its folder must exist. While storing, the store writes <c>{path}.new</c> beside it.</param>
public sealed class FileOffsetStore(string path) : IOffsetStore
{
    // Partitions are stored side by side and share the file.
    private readonly Lock _lock = new();

    /// <inheritdoc/>
    /// <exception cref="FeedException">The file is there and cannot be understood (<see cref="FeedFailure.InvalidPosition"/>).</exception>
    public Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken)
    {
        lock (_lock) return Task.FromResult(Read().GetValueOrDefault(partition));
    }

    /// <inheritdoc/>
    public Task StoreAsync(FeedPosition position, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var positions = Read();
            positions[position.Partition] = position;
            Write(positions.Values);
        }

        return Task.CompletedTask;
    }

    private SortedDictionary<int, FeedPosition> Read()
    {
        var positions = new SortedDictionary<int, FeedPosition>();
        if (!File.Exists(path)) return positions;
        var text = File.ReadAllBytes(path);
        try
        {
            foreach (var item in JsonElement.Parse(text).EnumerateArray())
            {
                var position = FeedPosition.Parse(item.GetString() ?? "");
                positions.Add(position.Partition, position);
            }

            return positions;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            // To start from the beginning would repeat everything, or skip some of it. A program must not decide that.
            throw new FeedException(FeedFailure.InvalidPosition, $"The file '{path}' holds no positions: {e.Message}", e);
        }
    }

    private void Write(IEnumerable<FeedPosition> positions)
    {
        var replacement = path + ".new";
        using (var file = new FileStream(replacement, FileMode.Create, FileAccess.Write))
        {
            using (var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true }))
            {
                json.WriteStartArray();
                foreach (var position in positions) json.WriteStringValue(position.ToString());
                json.WriteEndArray();
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(replacement, path, overwrite: true);
    }
}

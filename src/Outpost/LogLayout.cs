using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Outpost;

/// <summary>The id of a log, and the partition counts it has had.</summary>
/// <param name="Log">Random id of the log, 8 characters of <c>a-z0-9</c>. Another log has another id.</param>
/// <param name="Partitions">The current partition count, 1 to <see cref="Limits.PartitionsMax"/>.</param>
internal sealed record LogLayout(string Log, int Partitions)
{
    /// <summary>The partition counts so far, in order; the last is <see cref="Partitions"/>. If there is more than one, the log has grown.</summary>
    public IReadOnlyList<int> Counts { get; init; } = [Partitions];

    /// <summary>Whether the log was growing when <see cref="IEventStore.RefreshLayoutAsync"/> read the layout.</summary>
    public bool IsGrowing { get; init; }

    /// <summary>How many partition counts the log has had: 1, and one more each time it grows.</summary>
    public int Generation => Counts.Count;

    /// <summary>The partition for a subject's entity, events and receipts, if the entity is new.</summary>
    public int PartitionOf(string subject) => PartitionOf(subject, Partitions);

    /// <summary>
    /// The partitions in which a subject's entity may be, each once: first where a new entity goes, then where earlier counts put it.
    /// An entity stays for ever where it was created.
    /// </summary>
    public IReadOnlyList<int> PlacesOf(string subject)
    {
        if (Generation == 1) return [PartitionOf(subject)];
        var hash = HashOf(subject);
        return [.. Counts.Reverse().Select(count => (int)(hash % (ulong)count)).Distinct()];
    }

    /// <summary>Whether both layouts are of the same log and have had the same counts.</summary>
    public bool Equals(LogLayout? other) => other is not null && Log == other.Log && Counts.SequenceEqual(other.Counts);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Log, Partitions);

    /// <summary>This layout with one more count.</summary>
    internal LogLayout GrownTo(int partitions) => new(Log, partitions) { Counts = [.. Counts, partitions] };

    /// <summary>
    /// The first 8 bytes of SHA-256 over the subject's UTF-8, as a big-endian number, modulo the partition count. This never changes,
    /// and is the same in every language, because stored rows depend on it.
    /// </summary>
    public static int PartitionOf(string subject, int partitions) => (int)(HashOf(subject) % (ulong)partitions);

    private static ulong HashOf(string subject)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(subject), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}

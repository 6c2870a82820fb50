using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Outpost;

/// <summary>What a log is divided into: its id, and the partition counts it has had.</summary>
/// <param name="Log">Random id of this log, 8 characters of <c>a-z0-9</c>; another log has another id.</param>
/// <param name="Partitions">How many it has now, 1 to <see cref="Limits.PartitionsMax"/>.</param>
internal sealed record LogLayout(string Log, int Partitions)
{
    /// <summary>The counts it has had, in order; the last is <see cref="Partitions"/>. More than one: the log has grown.</summary>
    public IReadOnlyList<int> Counts { get; init; } = [Partitions];

    /// <summary>It was about to have one more when it was read: see <see cref="IEventStore.RefreshLayoutAsync"/>.</summary>
    public bool IsGrowing { get; init; }

    /// <summary>How many counts it has had: 1, and one more each time it grows.</summary>
    public int Generation => Counts.Count;

    /// <summary>Which partition a subject's entity, events and receipts are in, where the entity is new.</summary>
    public int PartitionOf(string subject) => PartitionOf(subject, Partitions);

    /// <summary>
    /// The partitions in which a subject's entity may be, each once: first where a new one goes, then where earlier counts put it.
    /// It stays for ever where it was created.
    /// </summary>
    public IReadOnlyList<int> PlacesOf(string subject)
    {
        if (Generation == 1) return [PartitionOf(subject)];
        var hash = HashOf(subject);
        return [.. Counts.Reverse().Select(count => (int)(hash % (ulong)count)).Distinct()];
    }

    /// <summary>Whether both are of the same log and have had the same counts.</summary>
    public bool Equals(LogLayout? other) => other is not null && Log == other.Log && Counts.SequenceEqual(other.Counts);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Log, Partitions);

    /// <summary>This log with one more count.</summary>
    internal LogLayout GrownTo(int partitions) => new(Log, partitions) { Counts = [.. Counts, partitions] };

    /// <summary>
    /// The first 8 bytes of SHA-256 over the subject's UTF-8, as a big-endian number, modulo the partition count:
    /// the same in every language and for ever, since stored rows depend on it.
    /// </summary>
    public static int PartitionOf(string subject, int partitions) => (int)(HashOf(subject) % (ulong)partitions);

    private static ulong HashOf(string subject)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(subject), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}

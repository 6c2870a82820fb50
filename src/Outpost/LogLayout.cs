using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Outpost;

/// <summary>What is fixed when a log is created: its id and its number of partitions.</summary>
/// <param name="Log">Random id of this log, 8 characters of <c>a-z0-9</c>; another log has another id.</param>
/// <param name="Partitions">1 to <see cref="Limits.PartitionsMax"/>.</param>
public sealed record LogLayout(string Log, int Partitions)
{
    /// <summary>Which partition a subject's entity, events and receipts are in.</summary>
    public int PartitionOf(string subject) => PartitionOf(subject, Partitions);

    /// <summary>
    /// The first 8 bytes of SHA-256 over the subject's UTF-8, as a big-endian number, modulo the partition count:
    /// the same in every language and for ever, since stored rows depend on it.
    /// </summary>
    public static int PartitionOf(string subject, int partitions)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(subject), hash);
        return (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % (ulong)partitions);
    }
}

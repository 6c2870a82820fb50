using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Outpost;

/// <summary>
/// The identity of one entry on every channel (feed, CloudEvents <c>id</c>, Service Bus <c>MessageId</c>):
/// <c>{log}-{partition:D4}-{offset:D19}</c>, for example <c>k3v9x2ab-0000-0000000000000000041</c>.
/// The ids of one partition sort like their offsets.
/// </summary>
/// <param name="Log">The 8-character id of the log.</param>
/// <param name="Partition">Number of the partition, 0 to <see cref="Limits.PartitionsMax"/> - 1.</param>
/// <param name="Offset">Offset in the partition, 0 or more.</param>
public readonly record struct EventId(string Log, int Partition, long Offset)
{
    private const int LogLength = 8;
    private const int Length = LogLength + 1 + 4 + 1 + 19;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Log}-{Partition:D4}-{Offset:D19}");

    /// <summary>Reads exactly the form that <see cref="ToString"/> writes. Returns false for anything else.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out EventId id)
    {
        id = default;
        if (text is not { Length: Length } || text[LogLength] != '-' || text[LogLength + 5] != '-') return false;
        var log = text[..LogLength];
        if (!log.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9'))) return false;
        // Number parsing would accept a NUL at the end.
        if (!text.AsSpan(LogLength + 1, 4).IsDigits() || !text.AsSpan(LogLength + 6).IsDigits()) return false;
        if (!int.TryParse(text.AsSpan(LogLength + 1, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var partition) ||
            !long.TryParse(text.AsSpan(LogLength + 6), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return false;
        id = new EventId(log, partition, offset);
        return true;
    }
}

file static class Digits
{
    public static bool IsDigits(this ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');
}

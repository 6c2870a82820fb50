using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Outpost.Tables;

/// <summary>The only place that builds or parses partition keys and row keys.</summary>
internal static class Keys
{
    public const string LayoutPartition = "layout";
    public const string Layout = "layout";
    public const string Head = "!head";
    public const string Oldest = "!oldest";

    /// <summary>
    /// The row keys below this one belong to the head, the oldest offset, wishes, checkpoints and controls. Those from it on belong to
    /// entities, events, parked entries and receipts.
    /// </summary>
    public const string FirstEntity = "d";

    /// <summary>The table partition of heartbeats. It is not a partition of the log.</summary>
    public const string Heartbeats = "ticks";
    public const string HeartbeatsFrom = "t|";
    public const string HeartbeatsEnd = "t}";

    /// <summary>The table partition of operators' actions. It is not a partition of the log, and an idle tick never reads it.</summary>
    public const string History = "history";

    /// <summary>The first part of the table partitions of writers that wait for their turn. None is a partition of the log.</summary>
    public const string LineFrom = "line-";

    /// <summary>A key above all places of writers.</summary>
    public const string PlacesEnd = "~";

    /// <summary>The first key of checkpoints and controls.</summary>
    public const string CheckpointsFrom = CheckpointPrefix;
    public const string CheckpointsEnd = "c}";

    private const string CheckpointPrefix = "c|";
    private const string WishPrefix = "!wish|";
    private const string ControlSuffix = "|control";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Partition(int partition) => partition.ToString("D4", CultureInfo.InvariantCulture);

    /// <summary>The table partition of those who wait for their turn to write to a partition of the log.</summary>
    public static string Line(int partition) => LineFrom + Partition(partition);

    /// <summary>The key of a writer's place. Those who have waited longest come first.</summary>
    public static string Place(DateTimeOffset at, string writer, long commit) =>
        string.Create(CultureInfo.InvariantCulture, $"{at.UtcTicks:x16}-{writer}-{commit:x}");

    /// <summary>Whose place it is, and for which commit it was taken; null: it is no such key.</summary>
    public static (string Writer, long Commit)? PlaceOf(string rowKey) =>
        rowKey.Split('-') is [_, var writer, var commit]
        && long.TryParse(commit, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? (writer, number)
            : null;

    public static string Event(long offset) => string.Create(CultureInfo.InvariantCulture, $"e|{offset:D19}");

    /// <summary>Whether a key is an event's, as <see cref="Event"/> builds it.</summary>
    public static bool IsEvent(string rowKey) =>
        rowKey.Length == 21 && rowKey.StartsWith("e|", StringComparison.Ordinal) && long.TryParse(rowKey.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out _);

    public static long EventOffset(string rowKey) => long.Parse(rowKey.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture);

    public static string Entity(string type, string id)
    {
        var (typePart, idPart) = (Encode(type), Encode(id));
        ChangeLimits.CheckKey(id, typePart.Length + idPart.Length);
        return $"d|{typePart}|{idPart}";
    }

    public static string Receipt(string scope, string key) =>
        "r|" + Convert.ToHexStringLower(SHA256.HashData(StrictUtf8.GetBytes($"{scope}\n{key}")));

    public static string Checkpoint(string forwarder) => CheckpointPrefix + Encode(forwarder);

    /// <summary>The forwarder whose checkpoint this row is; null for any other row.</summary>
    public static string? CheckpointForwarder(string rowKey) =>
        rowKey.StartsWith(CheckpointPrefix, StringComparison.Ordinal) && !IsControl(rowKey)
            ? Decode(rowKey[CheckpointPrefix.Length..])
            : null;

    /// <summary>The key of an operator's action. The newest action on a forwarder sorts first.</summary>
    public static string Action(string forwarder, DateTimeOffset at, string id) =>
        string.Create(CultureInfo.InvariantCulture, $"{ActionsFrom(forwarder)}{DateTimeOffset.MaxValue.UtcTicks - at.UtcTicks:D19}|{Encode(id)}");

    public static string ActionsFrom(string forwarder) => $"a|{Encode(forwarder)}|";

    /// <summary>A key above all actions on a forwarder.</summary>
    public static string ActionsEnd(string forwarder) => $"a|{Encode(forwarder)}}}";

    public static string ActionId(string rowKey) => Decode(rowKey[(rowKey.LastIndexOf('|') + 1)..]);

    public static string Heartbeat(string process) => HeartbeatsFrom + Encode(process);

    public static string HeartbeatProcess(string rowKey) => Decode(rowKey[HeartbeatsFrom.Length..]);

    public static string Wish(string forwarder) => WishPrefix + Encode(forwarder);

    /// <summary>The forwarder whose lease this row wishes for; null for any other row.</summary>
    public static string? WishForwarder(string rowKey) =>
        rowKey.StartsWith(WishPrefix, StringComparison.Ordinal) ? Decode(rowKey[WishPrefix.Length..]) : null;

    public static string Control(string forwarder) => CheckpointPrefix + Encode(forwarder) + ControlSuffix;

    /// <summary>The forwarder whose control row this is; null for any other row.</summary>
    public static string? ControlForwarder(string rowKey) =>
        rowKey.StartsWith(CheckpointPrefix, StringComparison.Ordinal) && IsControl(rowKey)
            ? Decode(rowKey[CheckpointPrefix.Length..^ControlSuffix.Length])
            : null;

    // A forwarder may be named "control". The key of its checkpoint ends like a control's, but has no name before the suffix.
    private static bool IsControl(string rowKey) =>
        rowKey.Length > CheckpointPrefix.Length + ControlSuffix.Length && rowKey.EndsWith(ControlSuffix, StringComparison.Ordinal);

    public static string Parked(string forwarder, long offset) =>
        string.Create(CultureInfo.InvariantCulture, $"p|{Encode(forwarder)}|{offset:D19}");

    /// <summary>A key above all parked rows of a forwarder.</summary>
    public static string ParkedEnd(string forwarder) => $"p|{Encode(forwarder)}}}";

    public static long ParkedOffset(string rowKey) => long.Parse(rowKey.AsSpan(rowKey.Length - 19), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>The forwarder of a parked row.</summary>
    public static string ParkedForwarder(string rowKey) => Decode(rowKey[2..^20]);

    /// <summary>
    /// Encodes text for a key. Letters, digits and <c>. _ ~ -</c> stay; every other byte of the UTF-8 form becomes <c>=XX</c>. So no
    /// id brings characters into a key that keys forbid (<c>/ \ # ?</c>, control characters), nor the <c>|</c> that separates parts.
    /// </summary>
    /// <exception cref="TooLargeException">The encoded form is longer than <see cref="Limits.KeyPartCharactersMax"/>.</exception>
    /// <exception cref="ArgumentException">The text is not valid Unicode (a lone surrogate).</exception>
    public static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var b in StrictUtf8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'.' or (byte)'_' or (byte)'~' or (byte)'-') encoded.Append((char)b);
            else encoded.Append('=').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }

        ChangeLimits.CheckKey(text, encoded.Length);
        return encoded.ToString();
    }

    /// <summary>The inverse of <see cref="Encode"/>.</summary>
    public static string Decode(string encoded)
    {
        var bytes = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] != '=')
            {
                bytes.Add((byte)encoded[i]);
                continue;
            }

            bytes.Add(byte.Parse(encoded.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            i += 2;
        }

        return StrictUtf8.GetString([.. bytes]);
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Outpost.Client;

/// <summary>
/// A place in the feed. A reader stores it to remember how far it has come: it is the place of the entry that the
/// reader asks for next.
/// </summary>
/// <param name="Log">Id of the log. An offset of one log means nothing in another.</param>
/// <param name="Partition">Partition of that log.</param>
/// <param name="Offset">Offset in that partition, from 0.</param>
public sealed partial record FeedPosition(string Log, int Partition, long Offset)
{
    internal FeedPosition Next => this with { Offset = Offset + 1 };

    /// <summary>The position as text, in the form of event ids: <c>k3v9x2ab-0000-0000000000000000041</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Log}-{Partition:D4}-{Offset:D19}");

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">The text is no position.</exception>
    public static FeedPosition Parse(string text) =>
        TryParse(text, out var position) ? position : throw new FormatException($"This is no position in a feed: '{text}'.");

    /// <summary>Reads what <see cref="ToString"/> wrote; false where the text is no position.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out FeedPosition? position)
    {
        position = null;
        var parts = Form().Match(text ?? "");
        if (!parts.Success || !long.TryParse(parts.Groups["offset"].Value, CultureInfo.InvariantCulture, out var offset)) return false;
        position = new FeedPosition(parts.Groups["log"].Value, int.Parse(parts.Groups["partition"].Value, CultureInfo.InvariantCulture), offset);
        return true;
    }

    [GeneratedRegex(@"^(?<log>[a-z0-9]{1,32})-(?<partition>[0-9]{4})-(?<offset>[0-9]{19})\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}

using System.Text.RegularExpressions;

namespace Outpost.Forwarding;

/// <summary>Makes a reason for operators: one line of bounded length, since it is stored and shown in lists.</summary>
internal static partial class Reason
{
    private const int LengthMax = 1000;
    private const int CodeLengthMax = 5;

    /// <summary>
    /// A message without the stack frames and response headers that some clients put into it. The remaining lines are joined.
    /// </summary>
    public static string OneLine(string message)
    {
        var lines = message.Split(['\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var text = string.Join(' ', lines
            .TakeWhile((line, number) => number == 0 || line is not ("Headers:" or "Content:"))
            .Where((line, number) => number == 0 || !(line.StartsWith("at ", StringComparison.Ordinal) || line.StartsWith("--- End of", StringComparison.Ordinal))));
        if (text.Length <= LengthMax) return text;
        return text[..(char.IsHighSurrogate(text[LengthMax - 1]) ? LengthMax - 1 : LengthMax)] + "…";
    }

    /// <summary>
    /// What the refusals of one cause have in common. "…" stands for what differs from one entry to the next: the entry's subject and
    /// id, ids and times of the request, and the size of the message. Pure.
    /// </summary>
    /// <param name="reason">A reason as it is stored.</param>
    /// <param name="subject">Subject of the entry.</param>
    public static string Common(string reason, string subject)
    {
        var text = Varying().Replace(reason.Replace(subject, "…", StringComparison.Ordinal), "…");
        var id = subject[(subject.IndexOf('/', StringComparison.Ordinal) + 1)..];
        // An id without a digit may be an ordinary word, and a short number may be a code such as 422.
        var isTelling = id.Any(char.IsAsciiDigit) && (id.Length > CodeLengthMax || !id.All(char.IsAsciiDigit));
        return isTelling ? Regex.Replace(text, $@"(?<![\w-]){Regex.Escape(id)}(?![\w-])", "…") : text;
    }

    // In this order: the id of an event, with that of its replay; a GUID, with what Service Bus appends to its tracking ids; a time;
    // number and size of a message.
    [GeneratedRegex(
        @"\b[a-z0-9]{8}-\d{4}-\d{19}(?:~\w+)?"
        + @"|\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?:_\w+)*"
        + @"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?"
        + @"|(?<=\b(?:delivery-id|size):)\d+")]
    private static partial Regex Varying();
}

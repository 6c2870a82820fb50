namespace Outpost.Forwarding;

/// <summary>Makes a reason for operators: one line of bounded length, since it is stored and shown in lists.</summary>
internal static class Reason
{
    private const int LengthMax = 1000;

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
}

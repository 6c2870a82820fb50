namespace Outpost;

/// <summary>The limits of one change, whatever the store. They are checked before anything is queued or written.</summary>
internal static class ChangeLimits
{
    /// <summary>Checks the number and the size of a change's parts. Only the store knows what they take together.</summary>
    /// <exception cref="TooLargeException">A part is beyond its limit.</exception>
    public static void Check(Change change)
    {
        if (change.Events.Count is 0 or > Limits.EventsPerCommandMax)
            throw new TooLargeException($"{change.Events.Count} events: one command records 1 to {Limits.EventsPerCommandMax}.");
        CheckHeader("The trace parent", change.TraceParent);
        CheckHeader("The correlation id", change.CorrelationId);
        CheckPayload("The state", change.State.Length);
        foreach (var @event in change.Events) CheckPayload($"The payload of {@event.Type}", @event.Payload.Length);
    }

    /// <summary>Checks that all parts of a change fit in one transaction.</summary>
    /// <exception cref="TooLargeException">The parts do not fit.</exception>
    public static void CheckTogether(long bytes)
    {
        if (bytes > Limits.TransactionBytesMax)
            throw new TooLargeException($"State and events take up to {bytes} bytes on the wire; {Limits.TransactionBytesMax} fit in one transaction.");
    }

    /// <summary>Checks that an id or name fits in a key.</summary>
    /// <exception cref="TooLargeException">The id or name does not fit.</exception>
    public static void CheckKey(string text, int encodedCharacters)
    {
        if (encodedCharacters > Limits.KeyPartCharactersMax)
            throw new TooLargeException($"An id of {text.Length} characters takes {encodedCharacters} in a key; {Limits.KeyPartCharactersMax} are allowed.");
    }

    private static void CheckHeader(string what, string? text)
    {
        if (text?.Length > Limits.HeaderCharactersMax)
            throw new TooLargeException($"{what} has {text.Length} characters; at most {Limits.HeaderCharactersMax} are allowed.");
    }

    private static void CheckPayload(string what, int bytes)
    {
        if (bytes > Limits.PayloadBytesMax)
            throw new TooLargeException($"{what} has {bytes} bytes; at most {Limits.PayloadBytesMax} are allowed.");
    }
}

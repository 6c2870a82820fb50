namespace Outpost.Dev;

/// <summary>Something a person has to put right; the message is one line and says what to do.</summary>
internal sealed class DevException(string message) : Exception(message);

namespace Outpost.Dev;

/// <summary>A problem that the user has to correct. The message is one line and says what to do.</summary>
internal sealed class DevException(string message) : Exception(message);

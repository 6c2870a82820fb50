namespace Outpost.LocalHost;

/// <summary>Why the host cannot start, in words for the person who started it.</summary>
internal sealed class StartException(string message, int exitCode = StartException.Invalid) : Exception(message)
{
    /// <summary>Exit code for settings, options or functions that cannot work.</summary>
    public const int Invalid = 1;

    public const int PortTaken = 2;

    public int ExitCode { get; } = exitCode;
}

namespace Outpost;

/// <summary>What Outpost throws where something is wrong that its caller can tell apart and act on.</summary>
public abstract class OutpostException : Exception
{
    /// <param name="message">What is wrong, and what to do about it.</param>
    /// <param name="innerException">What it came from.</param>
    internal OutpostException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

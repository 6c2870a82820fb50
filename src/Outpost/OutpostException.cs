namespace Outpost;

/// <summary>Base of the exceptions that Outpost throws for faults which a caller can tell apart and act on.</summary>
public abstract class OutpostException : Exception
{
    /// <param name="message">What is wrong, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    internal OutpostException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

namespace Outpost.Testing;

/// <summary>A test's expectation was not met, or forwarding left something undone. The message says which.</summary>
public sealed class OutpostTestException : Exception
{
    internal OutpostTestException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

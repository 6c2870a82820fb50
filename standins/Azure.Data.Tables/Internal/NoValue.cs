using System.Diagnostics.CodeAnalysis;

namespace Azure.Data.Tables.Internal;

/// <summary>The answer of a point read that found nothing.</summary>
internal sealed class NoValue<T>(Response response) : NullableResponse<T>
{
    public override bool HasValue => false;

    [SuppressMessage("Design", "CA1065", Justification = "As the real package: there is no value to give.")]
    public override T Value => throw new InvalidOperationException("No value: the entity does not exist.");

    public override Response GetRawResponse() => response;

    public override string ToString() => $"Status: {response.Status}, Service returned no content";
}

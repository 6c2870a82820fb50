using System.Diagnostics.CodeAnalysis;
using Azure;
using Azure.Core;

namespace Outpost.Tests.Testing;

/// <summary>An answer that has a status, and an ETag where a row was written.</summary>
internal sealed class SimulatedResponse(int status, string? tag = null) : Response
{
    public override int Status => status;

    public override string ReasonPhrase => "";

    public override Stream? ContentStream { get; set; }

    public override string ClientRequestId { get; set; } = "";

    public override void Dispose()
    {
    }

    protected override bool ContainsHeader(string name) => TryGetHeader(name, out _);

    protected override IEnumerable<HttpHeader> EnumerateHeaders() => tag is null ? [] : [new HttpHeader("ETag", tag)];

    protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value)
    {
        value = string.Equals(name, "ETag", StringComparison.OrdinalIgnoreCase) ? tag : null;
        return value is not null;
    }

    protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
    {
        values = TryGetHeader(name, out var value) ? [value] : null;
        return values is not null;
    }
}

/// <summary>The answer of a point read that found nothing.</summary>
internal sealed class NothingThere<T> : NullableResponse<T>
{
    public override bool HasValue => false;

    [SuppressMessage("Design", "CA1065", Justification = "As the real package: there is no value to give.")]
    public override T Value => throw new InvalidOperationException("No value: the entity does not exist.");

    public override Response GetRawResponse() => new SimulatedResponse(404);
}

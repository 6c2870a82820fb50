using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Azure;
using Azure.Core;

namespace Outpost.Tests.Testing;

/// <summary>An answer that has a status, an ETag where a row was written, and the service's time in whole seconds where it is given.</summary>
internal sealed class SimulatedResponse(int status, string? tag = null, DateTimeOffset? date = null) : Response
{
    public override int Status => status;

    public override string ReasonPhrase => "";

    public override Stream? ContentStream { get; set; }

    public override string ClientRequestId { get; set; } = "";

    public override void Dispose()
    {
    }

    protected override bool ContainsHeader(string name) => TryGetHeader(name, out _);

    protected override IEnumerable<HttpHeader> EnumerateHeaders() =>
        new[] { "ETag", "Date" }.Where(ContainsHeader).Select(name => new HttpHeader(name, TryGetHeader(name, out var value) ? value : ""));

    protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value)
    {
        value = name.ToUpperInvariant() switch
        {
            "ETAG" => tag,
            "DATE" => date?.ToString("R", CultureInfo.InvariantCulture),
            _ => null,
        };
        return value is not null;
    }

    protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
    {
        values = TryGetHeader(name, out var value) ? [value] : null;
        return values is not null;
    }
}

/// <summary>The answer of a point read that found nothing.</summary>
internal sealed class NothingThere<T>(Response response) : NullableResponse<T>
{
    public override bool HasValue => false;

    [SuppressMessage("Design", "CA1065", Justification = "As the real package: there is no value to give.")]
    public override T Value => throw new InvalidOperationException("No value: the entity does not exist.");

    public override Response GetRawResponse() => response;
}

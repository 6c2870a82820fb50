using System.Diagnostics.CodeAnalysis;
using System.Text;
using Azure.Core;

namespace Azure.Data.Tables.Internal;

/// <summary>One action's response inside a transaction's answer; headers are looked up in its bytes.</summary>
internal sealed class SubResponse(
    int status, string reason, ReadOnlyMemory<byte> headers, ReadOnlyMemory<byte> content)
    : Response
{
    private Stream? _content;

    public override int Status => status;

    public override string ReasonPhrase => reason;

    public override bool IsError => status >= 400;

    public override string ClientRequestId { get; set; } = "";

    public override Stream? ContentStream
    {
        get => _content ??= content.IsEmpty ? null : Body();
        set => _content = value;
    }

    /// <summary>The first header of that name in lines of <c>name: value</c>; empty if there is none.</summary>
    public static ReadOnlySpan<byte> FindBytes(ReadOnlySpan<byte> headers, string name)
    {
        while (Next(ref headers, out var headerName, out var value))
        {
            if (Ascii.EqualsIgnoreCase(headerName, name))
                return value;
        }
        return default;
    }

    public static string? Find(ReadOnlySpan<byte> headers, string name)
    {
        var value = FindBytes(headers, name);
        return value.IsEmpty ? null : Encoding.UTF8.GetString(value);
    }

    public override void Dispose() => _content?.Dispose();

    protected override bool ContainsHeader(string name) => Find(headers.Span, name) is not null;

    protected override IEnumerable<HttpHeader> EnumerateHeaders()
    {
        var all = new List<HttpHeader>();
        var rest = headers.Span;
        while (Next(ref rest, out var name, out var value))
            all.Add(new HttpHeader(Encoding.ASCII.GetString(name), Encoding.UTF8.GetString(value)));
        return all;
    }

    protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value)
    {
        value = Find(headers.Span, name);
        return value is not null;
    }

    protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
    {
        values = EnumerateHeaders()
            .Where(header => string.Equals(header.Name, name, StringComparison.OrdinalIgnoreCase))
            .Select(header => header.Value)
            .ToList();
        if (values.Any())
            return true;
        values = null;
        return false;
    }

    private static bool Next(
        scoped ref ReadOnlySpan<byte> lines, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var end = lines.IndexOf((byte)'\n');
        var line = end < 0 ? lines : lines[..end];
        lines = end < 0 ? default : lines[(end + 1)..];
        var colon = line.IndexOf((byte)':');
        name = colon < 0 ? default : line[..colon].Trim(" \t"u8);
        value = colon < 0 ? default : line[(colon + 1)..].Trim(" \t\r"u8);
        return colon >= 0;
    }

    private MemoryStream Body()
    {
        var bytes = content.ToArray();
        return new MemoryStream(bytes, 0, bytes.Length, writable: false, publiclyVisible: true);
    }
}

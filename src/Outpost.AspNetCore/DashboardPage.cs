using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;

namespace Outpost.AspNetCore;

/// <summary>
/// <c>GET /api/dashboard</c>: one page with its style and script inside, the same for everybody. It holds no data and
/// needs no key. It asks the API for what it shows, with a key that its user types in.
/// </summary>
internal sealed class DashboardPage : IResult
{
    // The files make one script and share one scope. The last one starts it.
    private static readonly string[] Scripts =
        ["dom.js", "words.js", "api.js", "samples.js", "chart.js", "overview.js", "forwarders.js", "actions.js", "payload.js", "parked.js", "entries.js", "main.js"];

    private readonly byte[] _page;
    private readonly string _policy;

    /// <summary>Puts the page together from the files in this assembly.</summary>
    /// <param name="traceUrl">
    /// Address for looking at a trace, with <c>{traceId}</c> and perhaps <c>{spanId}</c> in it; null: traces are no
    /// links.
    /// </param>
    public DashboardPage(string? traceUrl = null)
    {
        var style = Read("page.css");
        var script = string.Concat(Scripts.Select(Read));
        var trace = traceUrl is null ? "" : $"<meta name=\"trace-url\" content=\"{HtmlEncoder.Default.Encode(traceUrl)}\">\n";
        _page = Encoding.UTF8.GetBytes(Read("page.html")
            .Replace("<style></style>", $"{trace}<style></style>", StringComparison.Ordinal)
            .Replace("<style></style>", $"<style>{style}</style>", StringComparison.Ordinal)
            .Replace("<script type=\"module\"></script>", $"<script type=\"module\">{script}</script>", StringComparison.Ordinal));
        // The policy allows this style and this script only, nothing from or to elsewhere, and no text that turns into markup.
        _policy = "default-src 'none'; connect-src 'self'; img-src data:; "
            + $"style-src '{Hash(style)}'; script-src '{Hash(script)}'; require-trusted-types-for 'script'; trusted-types 'none'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.Headers.CacheControl = "no-store"; // the page must always be of the version of the app that answers
        response.Headers.ContentSecurityPolicy = _policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return WholeBody.WriteAsync(httpContext, "text/html; charset=utf-8", _page);
    }

    private static string Hash(string text) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";

    private static string Read(string name)
    {
        using var file = new StreamReader(typeof(DashboardPage).Assembly.GetManifestResourceStream(name)!);
        // A browser turns line ends into LF before it hashes.
        return file.ReadToEnd().ReplaceLineEndings("\n");
    }
}

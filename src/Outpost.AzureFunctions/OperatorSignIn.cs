using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>Who signs operators in.</summary>
/// <param name="Authority">The OpenID Connect issuer, such as <c>https://login.microsoftonline.com/TENANT/v2.0</c>.</param>
/// <param name="Audience">Whom its tokens are for: the client id of this app's registration.</param>
/// <param name="Role">The app role that operators have.</param>
internal sealed record OperatorOptions(Uri Authority, string Audience, string Role)
{
    private const string RoleDefault = "Outpost.Operator";

    /// <summary>Null: nobody signs operators in, and they take the admin key.</summary>
    /// <exception cref="InvalidSettingException">A setting has a value that is not allowed.</exception>
    public static OperatorOptions? Read(IConfiguration configuration)
    {
        var read = new SettingReader(configuration);
        read.AllowOnly("Operators", "Authority", "Audience", "Role");
        if (read.OptionalText("Operators__Authority") is null) return null;
        var authority = new Uri(read.Text("Operators__Authority", "", "an absolute https URL", IsAuthority).TrimEnd('/'));
        // A token for somebody else is none for this app.
        var audience = read.Text("Operators__Audience", "", "the client id that tokens are for", value => value.Length > 0);
        return new OperatorOptions(authority, audience, read.OptionalText("Operators__Role") ?? RoleDefault);
    }

    private static bool IsAuthority(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));
}

/// <summary>Tells by a bearer token of OpenID Connect who an operator is, and whether it is one.</summary>
internal sealed class OperatorSignIn
{
    // Where the issuer's keys are read from; they are kept for hours.
    private static readonly TimeSpan KeysWithin = TimeSpan.FromSeconds(10);
    private static readonly string[] Names = ["preferred_username", "upn", "azp", "appid", "sub"];

    private readonly JsonWebTokenHandler _tokens = new() { MapInboundClaims = false };
    private readonly ConfigurationManager<OpenIdConnectConfiguration> _issuer;
    private readonly TokenValidationParameters _wanted;
    private readonly string _role;

    public OperatorSignIn(OperatorOptions options)
    {
        _role = options.Role;
        // For as long as this process.
        var http = new HttpClient { Timeout = KeysWithin };
        _issuer = new ConfigurationManager<OpenIdConnectConfiguration>(
            $"{options.Authority}/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(),
            new HttpDocumentRetriever(http) { RequireHttps = options.Authority.Scheme == Uri.UriSchemeHttps });
        _wanted = new TokenValidationParameters { ConfigurationManager = _issuer, ValidAudience = options.Audience };
    }

    /// <summary>The operator's name; or the answer to whoever is none.</summary>
    public async Task<(string? Name, IResult? Refused)> AskAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        const string Scheme = "Bearer ";
        if (request.Headers.Authorization is not [{ } header] || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return (null, NotSignedIn(request, "Operators sign in: send a bearer token of this app's issuer."));
        try
        {
            // Without the issuer's keys every token would look like a bad one.
            await _issuer.GetConfigurationAsync(cancellationToken);
        }
        catch (InvalidOperationException)
        {
            return (null, Problem.Unavailable("sign-in-unavailable", "The issuer of operators' tokens does not answer.", KeysWithin));
        }

        var token = await _tokens.ValidateTokenAsync(header[Scheme.Length..].Trim(), _wanted);
        // What is wrong with it helps only whoever made it up.
        if (!token.IsValid) return (null, NotSignedIn(request, "The token is not valid here: not for this app, not from its issuer, or too old."));
        if (!token.ClaimsIdentity.HasClaim("roles", _role))
            return (null, Problem.Refused(new Refusal(RefusalKind.Forbidden, "not-an-operator", $"The token has not the role '{_role}'.")));
        return (Names.Select(name => token.ClaimsIdentity.FindFirst(name)?.Value).FirstOrDefault(name => name is { Length: > 0 }) ?? "operator", null);
    }

    private static Problem NotSignedIn(HttpRequest request, string detail)
    {
        request.HttpContext.Response.Headers.WWWAuthenticate = "Bearer";
        return Problem.NotSignedIn(detail);
    }
}

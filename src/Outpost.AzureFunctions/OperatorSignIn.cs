using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>Whose tokens count as operators'.</summary>
/// <param name="Authority">The OpenID Connect issuer, such as <c>https://login.microsoftonline.com/TENANT/v2.0</c>.</param>
/// <param name="Audience">Whom the tokens are for: the client id of this app's registration.</param>
/// <param name="Role">The app role that operators have.</param>
internal sealed record OperatorOptions(Uri Authority, string Audience, string Role)
{
    private const string RoleDefault = "Outpost.Operator";

    /// <summary>Reads the settings. Null: operators use the admin key, because no issuer is set.</summary>
    /// <exception cref="InvalidSettingException">A setting has a value that is not allowed.</exception>
    public static OperatorOptions? Read(IConfiguration configuration)
    {
        var read = new SettingReader(configuration);
        read.AllowOnly("Operators", "Authority", "Audience", "Role");
        if (read.OptionalText("Operators__Authority") is null) return null;
        var authority = new Uri(read.Text("Operators__Authority", "", "an absolute https URL", IsAuthority).TrimEnd('/'));
        // Without an audience, a token for another app would count here.
        var audience = read.Text("Operators__Audience", "", "the client id that tokens are for", value => value.Length > 0);
        return new OperatorOptions(authority, audience, read.OptionalText("Operators__Role") ?? RoleDefault);
    }

    private static bool IsAuthority(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));
}

/// <summary>Checks a bearer token of OpenID Connect, and says who the operator is.</summary>
internal sealed class OperatorSignIn
{
    // How long reading the issuer's keys may take. The keys are kept for hours.
    private static readonly TimeSpan KeysWithin = TimeSpan.FromSeconds(10);
    private static readonly string[] Names = ["preferred_username", "upn", "azp", "appid", "sub"];

    private readonly JsonWebTokenHandler _tokens = new() { MapInboundClaims = false };
    private readonly ConfigurationManager<OpenIdConnectConfiguration> _issuer;
    private readonly TokenValidationParameters _wanted;
    private readonly string _role;

    public OperatorSignIn(OperatorOptions options)
    {
        _role = options.Role;
        // The client lives as long as the process.
        var http = new HttpClient { Timeout = KeysWithin };
        _issuer = new ConfigurationManager<OpenIdConnectConfiguration>(
            $"{options.Authority}/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(),
            new HttpDocumentRetriever(http) { RequireHttps = options.Authority.Scheme == Uri.UriSchemeHttps });
        _wanted = new TokenValidationParameters { ConfigurationManager = _issuer, ValidAudience = options.Audience };
    }

    /// <summary>The operator's name, or the answer to a caller who is none.</summary>
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
        // The answer does not say what is wrong with the token, which would only help somebody who forged it.
        if (!token.IsValid) return (null, NotSignedIn(request, "The token is not valid here: not for this app, not from its issuer, or too old."));
        if (!token.ClaimsIdentity.HasClaim("roles", _role))
            return (null, Problem.Refused(new Refusal(RefusalKind.Forbidden, "not-an-operator", $"The token does not have the role '{_role}'.")));
        return (Names.Select(name => token.ClaimsIdentity.FindFirst(name)?.Value).FirstOrDefault(name => name is { Length: > 0 }) ?? "operator", null);
    }

    private static Problem NotSignedIn(HttpRequest request, string detail)
    {
        request.HttpContext.Response.Headers.WWWAuthenticate = "Bearer";
        return Problem.NotSignedIn(detail);
    }
}

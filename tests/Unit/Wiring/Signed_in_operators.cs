using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Outpost.AzureFunctions;
using Outpost.Forwarding;
using Outpost.Testing;

namespace Outpost.Tests.Unit.Wiring;

/// <summary>Operators with a token of an issuer that signs for real, over HTTP.</summary>
public sealed class Signed_in_operators : IAsyncLifetime
{
    private const string Audience = "outpost-operators";

    private readonly RSA _rsa = RSA.Create(2048);
    private readonly WebApplication _issuer = Empty();
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _issuer.MapGet("/t/v2.0/.well-known/openid-configuration", () => Results.Json(new { issuer = Issuer, jwks_uri = $"{Issuer}/keys" }));
        var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_rsa.ExportParameters(includePrivateParameters: false)) { KeyId = "k1" });
        _issuer.MapGet("/t/v2.0/keys", () => Results.Json(new { keys = new[] { new { kty = key.Kty, use = "sig", kid = key.KeyId, n = key.N, e = key.E } } }));
        await _issuer.StartAsync();
        (_app, _http) = await StartAsync(("Operators:Authority", Issuer), ("Operators:Audience", Audience));
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        await _issuer.DisposeAsync();
        _rsa.Dispose();
    }

    private string Issuer => $"{_issuer.Urls.Single()}/t/v2.0";

    [Fact]
    public async Task See_status_and_are_named_in_what_they_do()
    {
        var status = await AskAsync(HttpMethod.Get, "status", Token());
        var paused = await AskAsync(HttpMethod.Post, "forwarders/f/pause", Token(), ("x-ms-client-principal-name", "somebody else"));
        var after = await AskAsync(HttpMethod.Get, "status", Token());

        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
        Assert.Contains("\"forwarders\":", await status.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, paused.StatusCode);
        Assert.Contains("\"pausedBy\":\"ada@example.com\"", await after.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task May_use_the_tool_with_their_token()
    {
        string[] pause = ["pause", "f", "--url", _http.BaseAddress!.ToString(), "--token"];
        var raw = new InvocationConfiguration { EnableDefaultExceptionHandler = false };

        var done = await Docs.The_page_on_the_tool.Tool.Parse([.. pause, Token()]).InvokeAsync(raw);
        var status = await AskAsync(HttpMethod.Get, "status", Token());
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => Docs.The_page_on_the_tool.Tool.Parse([.. pause, Token(role: "Reader")]).InvokeAsync(raw));

        Assert.Equal(0, done);
        Assert.Contains("\"pausedBy\":\"ada@example.com\"", await status.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("Outpost.Operator", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_only_what_operators_have()
    {
        var elsewhere = await AskAsync(HttpMethod.Get, "orders/o-1", Token());
        var method = await AskAsync(HttpMethod.Post, "status", Token());

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed), (elsewhere.StatusCode, method.StatusCode));
    }

    [Theory]
    [InlineData("no token")]
    [InlineData("nonsense")]
    [InlineData("another audience")]
    [InlineData("another issuer")]
    [InlineData("too old")]
    [InlineData("signed by somebody else")]
    [InlineData("not signed")]
    public async Task Have_a_token_that_is_valid_here(string what)
    {
        using var other = RSA.Create(2048);
        var token = what switch
        {
            "no token" => null,
            "nonsense" => "a.b.c",
            "another audience" => Token(audience: "another"),
            "another issuer" => Token(issuer: "https://login.example.com/v2.0"),
            "too old" => Token(minutes: -30),
            "signed by somebody else" => Token(key: other),
            _ => new JsonWebTokenHandler().CreateToken(Described(Audience, Issuer, 30)),
        };

        var answer = await AskAsync(HttpMethod.Get, "status", token);

        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (answer.StatusCode, answer.Headers.WwwAuthenticate.Single().Scheme));
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Have_the_role()
    {
        var answer = await AskAsync(HttpMethod.Get, "status", Token(role: "Reader"));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("Outpost.Operator", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Are_told_when_their_issuer_does_not_answer()
    {
        var (app, http) = await StartAsync(("Operators:Authority", "http://127.0.0.1:1/t"), ("Operators:Audience", Audience));
        await using var closing = app;
        using var closed = http;

        var answer = await AskAsync(HttpMethod.Get, "status", Token(), http);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }

    [Fact]
    public async Task Are_nobody_where_no_sign_in_is_set()
    {
        var (app, http) = await StartAsync(("Operators:Role", "Outpost.Operator"));
        await using var closing = app;
        using var closed = http;

        var answer = await AskAsync(HttpMethod.Get, "status", Token(), http);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData("http://login.example.com/t", Audience, "Operators__Authority")]
    [InlineData("somewhere", Audience, "Operators__Authority")]
    [InlineData("https://login.example.com/t", "", "Operators__Audience")]
    public void Are_not_set_up_with_a_bad_value(string authority, string audience, string setting)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("Operators:Authority", authority), new("Operators:Audience", audience)]).Build();

        Assert.StartsWith(setting, Assert.Throws<InvalidSettingException>(() => OperatorOptions.Read(configuration)).Message, StringComparison.Ordinal);
    }

    private sealed class Nothing : IEventHandler<Counted>
    {
        public Task HandleAsync(Counted payload, EventEntry entry, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static WebApplication Empty(params (string Name, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        foreach (var (name, value) in settings) builder.Configuration[name] = value;
        if (settings.Length == 0) return builder.Build();
        builder.Configuration["TableStorage"] = "UseDevelopmentStorage=true";
        builder.AddOutpost().AddHandler<Counted, Nothing>("f", TimeSpan.FromMinutes(1));
        builder.Services.UseInMemoryLog(partitions: 1);
        builder.Services.AddOperators(builder.Configuration);
        var app = builder.Build();
        app.Map("/api/operators/{*path}", (HttpRequest request, OperatorRoutes routes, CancellationToken stop) => routes.RunAsync(request, stop));
        return app;
    }

    private static async Task<(WebApplication App, HttpClient Http)> StartAsync(params (string Name, string Value)[] settings)
    {
        var app = Empty(settings);
        await app.StartAsync();
        return (app, new HttpClient { BaseAddress = new Uri(app.Urls.Single()) });
    }

    private async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, string? token, HttpClient? http = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, $"/api/operators/{path}");
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        return await (http ?? _http).SendAsync(request);
    }

    private Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, string? token, (string Name, string Value) header) =>
        AskAsync(method, path, token, null, header);

    private string Token(string audience = Audience, string? issuer = null, int minutes = 30, RSA? key = null, string role = "Outpost.Operator")
    {
        var described = Described(audience, issuer ?? Issuer, minutes, role);
        described.SigningCredentials = new SigningCredentials(new RsaSecurityKey(key ?? _rsa) { KeyId = "k1" }, SecurityAlgorithms.RsaSha256);
        return new JsonWebTokenHandler().CreateToken(described);
    }

    private static SecurityTokenDescriptor Described(string audience, string issuer, int minutes, string role = "Outpost.Operator") => new()
    {
        Audience = audience,
        Issuer = issuer,
        NotBefore = DateTime.UtcNow.AddHours(-1),
        Expires = DateTime.UtcNow.AddMinutes(minutes),
        Claims = new Dictionary<string, object> { ["roles"] = new[] { role, "Other" }, ["preferred_username"] = "ada@example.com" },
    };
}

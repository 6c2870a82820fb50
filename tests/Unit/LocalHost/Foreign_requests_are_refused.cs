using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Outpost.LocalHost;

namespace Outpost.Tests.Unit.LocalHost;

public sealed class Foreign_requests_are_refused
{
    [Theory]
    [InlineData("localhost:7071", null, null, "a name of this machine")]
    [InlineData("LOCALHOST", null, null, "whatever the case, with no port")]
    [InlineData("127.0.0.1:1", null, null, "any port: it may be forwarded")]
    [InlineData("[::1]:7071", null, null, "in IPv6")]
    [InlineData("localhost:7071", "http://localhost:7071", null, "its own page")]
    [InlineData("outpost.example", null, 421, "a name that was made to point here")]
    [InlineData("localhost.example:7071", null, 421, "a name that begins like one")]
    [InlineData("127.0.0.2", null, 421, "another address of this machine")]
    [InlineData("", null, 421, "no name at all")]
    [InlineData("localhost:7071", "https://outpost.example", 403, "a page of another site")]
    [InlineData("localhost:7071", "http://localhost:3000", 403, "a page of another server on this machine")]
    [InlineData("localhost:7071", "https://localhost:7071", 403, "another scheme")]
    [InlineData("localhost:7071", "null", 403, "a page without an origin, such as a file")]
    [InlineData("localhost:7071", "", 403, "an empty origin")]
    public void Only_names_of_this_machine_and_its_own_pages_get_through(
        string host, string? origin, int? refusal, string why)
    {
        var request = new DefaultHttpContext().Request;
        (request.Scheme, request.Headers.Host) = ("http", host);
        if (origin is not null)
            request.Headers.Origin = origin;

        int? status = !LoopbackGuard.IsForThisMachine(request) ? 421 : LoopbackGuard.IsForeign(request) ? 403 : null;
        Assert.Equal((refusal, why), (status, why));
    }

    [Theory]
    [InlineData("http://localhost:5000", true)]
    [InlineData("http://127.0.0.1:5000;http://[::1]:5000", true)]
    [InlineData("http://0.0.0.0:5000", false)]
    [InlineData("http://127.0.0.1:5000;http://*:80", false)]
    [InlineData("http://+:80", false)]
    [InlineData("http://example.com", false)]
    public void A_start_that_is_told_to_listen_elsewhere_is_refused(string urls, bool allowed)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([KeyValuePair.Create("ASPNETCORE_URLS", (string?)urls)]).Build();

        var refused = Record.Exception(() => LoopbackGuard.CheckAddresses(configuration));

        Assert.Equal(allowed, refused is null);
        Assert.True(refused is null or StartException);
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.LocalHost;

namespace Outpost.Tests.Unit.LocalHost;

public sealed class Routes_match_as_in_the_Functions_host
{
    // In the order of the list: a template earlier in it wins, however general it is.
    private static readonly (string Name, string Route, string Methods)[] App =
    [
        ("AllFiles", "files/{*path}", "GET"),
        ("Any", "Any", ""),
        ("Feed", "feed/{partition:int?}", "GET"),
        ("Head", "head", "GET,HEAD"),
        ("LateFile", "files/late", "GET"),
        ("OneOrder", "orders/{id}", "GET"),
        ("PayOrder", "orders/{id}/pay", "POST"),
        ("PlaceOrder", "orders", "POST"),
        ("Replies", "replies/{id:guid}", "GET"),
    ];

    [Theory]
    [InlineData("GET", "/api/orders/7", "OneOrder id=7", "a parameter")]
    [InlineData("GET", "/api/orders/7/", "OneOrder id=7", "a slash at the end")]
    [InlineData("GET", "/API/Orders/Seven", "OneOrder id=Seven", "whatever the case, which values keep")]
    [InlineData("GET", "/api/orders/a b", "OneOrder id=a b", "a decoded value")]
    [InlineData("POST", "/api/orders", "PlaceOrder", "the method picks the function")]
    [InlineData("POST", "/api/orders/7/pay", "PayOrder id=7", "a literal after a parameter")]
    [InlineData("GET", "/api/files/late", "AllFiles path=late", "the first in the list, not the closest")]
    [InlineData("GET", "/api/files/a/b", "AllFiles path=a/b", "a catch-all")]
    [InlineData("GET", "/api/files", "AllFiles path=", "a catch-all of nothing")]
    [InlineData("GET", "/api/feed", "Feed", "an optional parameter left out")]
    [InlineData("GET", "/api/feed/3", "Feed partition=3", "an optional parameter given")]
    [InlineData("GET", "/api/replies/6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "Replies id=6f9619ff-8b86-d011-b42d-00c04fc964ff", "a constraint met")]
    [InlineData("DELETE", "/api/any", "Any", "no methods listed: every method")]
    [InlineData("HEAD", "/api/head", "Head", "HEAD where it is listed")]
    public async Task A_known_route_reaches_its_function(string method, string path, string expected, string why) =>
        Assert.Equal((200, expected, why), await Ask(method, path, why));

    [Theory]
    [InlineData("GET", "/", "the root")]
    [InlineData("GET", "/orders/7", "without the prefix")]
    [InlineData("GET", "/api/nothing", "an unknown route")]
    [InlineData("GET", "/api/orders", "a known route with a method nobody lists is unknown, not 405")]
    [InlineData("HEAD", "/api/orders/7", "HEAD where only GET is listed")]
    [InlineData("OPTIONS", "/api/orders", "OPTIONS like any other method")]
    [InlineData("GET", "/api/orders/7/8", "one segment too many")]
    [InlineData("GET", "/api/feed/x", "a constraint not met")]
    public async Task Anything_else_is_an_empty_404(string method, string path, string why) =>
        Assert.Equal((404, "", why), await Ask(method, path, why));

    [Fact]
    public async Task Without_a_prefix_routes_begin_at_the_root() =>
        Assert.Equal((200, "OneOrder id=7", ""), await Ask("GET", "/orders/7", "", prefix: ""));

    private static string[] Split(string methods) => methods.Split(',', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<(int Status, string Answer, string Why)> Ask(
        string method, string path, string why, string prefix = "api")
    {
        var answer = "";
        using var services = new ServiceCollection().AddLogging().AddRouting().BuildServiceProvider();
        var functions = App.Select(one => new FunctionDefinition(
            one.Name, new HttpFunctionTrigger("request", one.Route, Split(one.Methods), "function")));
        var routes = FunctionRoutes.Build(
            functions, prefix, services.GetRequiredService<IInlineConstraintResolver>(), function => http =>
            {
                answer = string.Join(' ', http.Request.RouteValues.Select(value => $"{value.Key}={value.Value}")
                    .Prepend(function.Name));
                return Task.CompletedTask;
            });

        var http = new DefaultHttpContext { RequestServices = services };
        (http.Request.Method, http.Request.Path) = (method, path);
        await new RouterMiddleware(
            next =>
            {
                next.Response.StatusCode = 404;
                return Task.CompletedTask;
            },
            NullLoggerFactory.Instance, routes).Invoke(http);
        return (http.Response.StatusCode, answer, why);
    }
}

using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.LocalHost;

using FunctionDefinition = Outpost.LocalHost.FunctionDefinition;

namespace Outpost.Tests.Unit.LocalHost;

public sealed class Functions_that_cannot_be_hosted
{
    [Fact]
    public void The_product_has_none() =>
        Assert.Empty(FunctionChecks.Problems(FunctionDiscovery.Find(Assembly.Load("Outpost.Functions").GetTypes())));

    [Theory]
    [InlineData("orders/{id}", "orders/{name}", "the same shape under another name")]
    [InlineData("Orders", "orders", "whatever the case")]
    [InlineData("orders/{id}", "orders/latest", "a value can be the literal")]
    [InlineData("feed/{partition?}", "feed", "an optional parameter left out")]
    [InlineData("files/{*path}", "files/a/{b}", "a catch-all takes everything below")]
    [InlineData("files/{*path}", "files", "and nothing")]
    [InlineData("events/{id:int}", "events/{name:alpha}", "constraints that exclude each other are not understood")]
    [InlineData("v{version}/x", "{any}/x", "parts of a segment are not understood")]
    public void Two_templates_that_one_path_can_match_are_refused_for_a_shared_method(
        string one, string other, string why)
    {
        Assert.True(Problems((one, "GET,POST"), (other, "POST")).Count == 1, why);
        Assert.True(Problems((other, "POST"), (one, "")).Count == 1, why);
        Assert.True(Problems((one, "GET"), (other, "POST")).Count == 0, why);
    }

    [Theory]
    [InlineData("orders/{id}", "orders/{id}/pay", "another length")]
    [InlineData("orders/{id}", "events/{id}", "another literal")]
    [InlineData("events/{id:int}", "events/latest", "a literal the constraint does not take")]
    [InlineData("feed/{partition?}", "feed/{partition}/more", "longer than the optional parameter allows")]
    public void Two_templates_that_no_path_can_match_are_fine(string one, string other, string why) =>
        Assert.True(Problems((one, "GET"), (other, "GET")).Count == 0, why);

    [Theory]
    [InlineData(typeof(TwoOfOneName), "are both the function 'Orders'")]
    [InlineData(typeof(BadName), "a name is a letter")]
    [InlineData(typeof(BadRoute), "route 'orders/{id'")]
    [InlineData(typeof(ReservedRoute), "for itself")]
    [InlineData(typeof(UnknownParameter), "nothing binds to the parameter 'Int32 page'")]
    [InlineData(typeof(OptionalNumber), "'page' needs a type that can be null")]
    [InlineData(typeof(PlainResult), "its result is a String, not an IResult")]
    public void A_function_the_host_would_not_run_is_named_with_the_reason(Type app, string reason)
    {
        var problem = Assert.Single(FunctionChecks.Problems(FunctionDiscovery.Find([app])));

        Assert.Contains(reason, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(typeof(NotPublic), "is not public")]
    [InlineData(typeof(NoTrigger), "has 0 HTTP or timer triggers")]
    [InlineData(typeof(TwoTriggers), "has 2 HTTP or timer triggers")]
    public void A_method_that_is_no_function_in_spite_of_its_attribute_stops_the_start(Type app, string reason)
    {
        var refused = Assert.Throws<StartException>(() => FunctionDiscovery.Find([app]));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Problems(params (string Route, string Methods)[] functions) =>
        FunctionChecks.Problems(
        [
            .. functions.Select((one, i) => new FunctionDefinition(
                $"F{i}", typeof(Anything).GetMethod(nameof(Anything.Go))!,
                new HttpFunctionTrigger(one.Route, Split(one.Methods), AuthorizationLevel.Function))),
        ]);

    private static string[] Split(string methods) => methods.Split(',', StringSplitOptions.RemoveEmptyEntries);

    private static class Anything
    {
        public static void Go()
        {
        }
    }

    private static class TwoOfOneName
    {
        [Function("Orders")]
        public static void Get([HttpTrigger("get")] HttpRequest request) => _ = request;

        [Function("orders")]
        public static void Tick([TimerTrigger("* * * * * *")] TimerInfo timer) => _ = timer;
    }

    private static class BadName
    {
        [Function("1st")]
        public static void Go([HttpTrigger] HttpRequest request) => _ = request;
    }

    private static class BadRoute
    {
        [Function("Go")]
        public static void Go([HttpTrigger(Route = "orders/{id")] HttpRequest request) => _ = request;
    }

    private static class ReservedRoute
    {
        [Function("Go")]
        public static void Go([HttpTrigger(Route = "/Admin/keys")] HttpRequest request) => _ = request;
    }

    private static class UnknownParameter
    {
        [Function("Go")]
        public static void Go([HttpTrigger(Route = "orders/{id}")] HttpRequest request, string id, int page) =>
            _ = (request, id, page);
    }

    private static class OptionalNumber
    {
        [Function("Go")]
        public static void Go([HttpTrigger(Route = "orders/{page:int?}")] HttpRequest request, int page) =>
            _ = (request, page);
    }

    private static class PlainResult
    {
        [Function("Go")]
        public static Task<string> Go([HttpTrigger] HttpRequest request) => Task.FromResult(request.Path.Value!);
    }

    private static class NotPublic
    {
        [Function("Go")]
        internal static void Go([HttpTrigger] HttpRequest request) => _ = request;
    }

    private static class NoTrigger
    {
        [Function("Go")]
        public static void Go(CancellationToken cancellation) => _ = cancellation;
    }

    private static class TwoTriggers
    {
        [Function("Go")]
        public static void Go([HttpTrigger] HttpRequest request, [TimerTrigger("* * * * * *")] TimerInfo timer) =>
            _ = (request, timer);
    }
}

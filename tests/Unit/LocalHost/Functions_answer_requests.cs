using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Outpost.LocalHost;

using FunctionDefinition = Outpost.LocalHost.FunctionDefinition;

namespace Outpost.Tests.Unit.LocalHost;

public sealed class Functions_answer_requests
{
    [Theory]
    [InlineData("Result", 202, "result")]
    [InlineData("Action", 202, "action")]
    [InlineData("TaskOfResult", 202, "task")]
    [InlineData("ValueTaskOfAction", 202, "value task")]
    [InlineData("Static", 202, "static")]
    [InlineData("Nothing", 200, "")]
    [InlineData("TaskOfNothing", 200, "")]
    [InlineData("ValueTaskOfNothing", 200, "")]
    public async Task Whatever_way_a_function_hands_back_its_answer_it_is_written(
        string function, int status, string body)
    {
        var answer = await new Call(function).Answer();

        Assert.Equal((status, body), (answer.Status, answer.Body));
        Assert.Empty(answer.Log.AboveDebug);
    }

    [Theory]
    [InlineData("id=seven number=-7 big=9999999999 maybe=3", "seven -7 9999999999 3")]
    [InlineData("id=seven number=8 big=9", "seven 8 9 null")]
    public async Task Route_values_come_as_the_types_of_the_parameters(string values, string expected) =>
        Assert.Equal(expected, (await new Call("Values", values).Answer()).Body);

    [Fact]
    public async Task A_route_value_of_another_type_is_an_error_of_the_function()
    {
        var answer = await new Call("Values", "id=seven number=eight big=9").Answer();

        Assert.Equal(500, answer.Status);
    }

    [Theory]
    [InlineData("Throws")]
    [InlineData("ThrowsLater")]
    [InlineData("AnswerThrows")]
    public async Task An_exception_is_an_empty_500_and_logged_once(string function)
    {
        var answer = await new Call(function).Answer();

        Assert.Equal((500, ""), (answer.Status, answer.Body));
        Assert.Equal($"Error: {function} failed", Assert.Single(answer.Log.AboveDebug));
    }

    [Fact]
    public async Task A_body_over_the_limit_is_answered_as_the_server_names_it_and_is_no_error()
    {
        var answer = await new Call("BodyTooLarge").Answer();

        Assert.Equal((413, ""), (answer.Status, answer.Body));
        Assert.Empty(answer.Log.AboveDebug);
    }

    [Theory]
    [InlineData("WaitsForever", true, "the token fires")]
    [InlineData("ConnectionReset", false, "a read fails before the token fires")]
    public async Task A_client_that_leaves_cancels_the_call_and_is_no_error(string function, bool token, string why)
    {
        var call = new Call(function);

        call.Http.RequestAborted = new CancellationToken(canceled: token);

        Assert.True(!(await call.Answer()).Log.AboveDebug.Any(), why);
    }

    [Fact]
    public async Task A_stopping_host_cancels_the_call_and_answers_503()
    {
        var answer = await new Call("WaitsForever").Answer(stopping: new CancellationToken(canceled: true));

        Assert.Equal(503, answer.Status);
        Assert.Empty(answer.Log.AboveDebug);
    }

    [Fact]
    public async Task A_cancellation_that_nobody_asked_for_is_an_error_of_the_function() =>
        Assert.Equal(500, (await new Call("CancelsItself").Answer()).Status);

    [Fact]
    public async Task Every_call_has_an_instance_of_its_own_which_is_disposed_of_afterwards()
    {
        var seen = new Seen();

        await new Call("Result", seen: seen).Answer();
        await new Call("Throws", seen: seen).Answer();

        Assert.Equal((2, 2), (seen.Created, seen.Disposed));
    }

    public sealed class Seen
    {
        public int Created { get; set; }

        public int Disposed { get; set; }
    }

    public sealed class App : IAsyncDisposable
    {
        private readonly Seen _seen;

        public App(Seen seen)
        {
            _seen = seen;
            _seen.Created++;
        }

        [Function("Static")]
        public static IResult Static([HttpTrigger] HttpRequest request) => Text("static");

        [Function("Result")]
        public IResult Result([HttpTrigger] HttpRequest request) => Own("result");

        [Function("Action")]
        public IActionResult Action([HttpTrigger] HttpRequest request) =>
            Own(new ObjectResult("action") { StatusCode = 202 });

        [Function("TaskOfResult")]
        public async Task<IResult> TaskOfResult([HttpTrigger] HttpRequest request)
        {
            await Task.Yield();
            return Own("task");
        }

        [Function("ValueTaskOfAction")]
        public async ValueTask<ObjectResult> ValueTaskOfAction([HttpTrigger] HttpRequest request)
        {
            await Task.Yield();
            return Own(new ObjectResult("value task") { StatusCode = 202 });
        }

        [Function("Nothing")]
        public void Nothing([HttpTrigger] HttpRequest request) => Own("");

        [Function("TaskOfNothing")]
        public async Task TaskOfNothing([HttpTrigger] HttpRequest request, CancellationToken cancellation)
        {
            await Task.Yield();
            Own("");
        }

        [Function("ValueTaskOfNothing")]
        public ValueTask ValueTaskOfNothing([HttpTrigger] HttpRequest request)
        {
            Own("");
            return ValueTask.CompletedTask;
        }

        [Function("Values")]
        public IResult Values(
            [HttpTrigger(Route = "{id}/{number}/{big}/{maybe?}")] HttpRequest request, string id, int number, long big,
            int? maybe) => Own($"{id} {number} {big} {maybe?.ToString("D", null) ?? "null"}");

        [Function("Throws")]
        public IResult Throws([HttpTrigger] HttpRequest request) =>
            throw new InvalidOperationException(Own("").ToString());

        [Function("ThrowsLater")]
        public async Task<IResult> ThrowsLater([HttpTrigger] HttpRequest request)
        {
            await Task.Yield();
            throw new InvalidOperationException(Own("").ToString());
        }

        [Function("AnswerThrows")]
        public IActionResult AnswerThrows([HttpTrigger] HttpRequest request) => Own(new BrokenAnswer());

        [Function("BodyTooLarge")]
        public IResult BodyTooLarge([HttpTrigger] HttpRequest request) =>
            throw new BadHttpRequestException(Own("too large").ToString()!, 413);

        [Function("WaitsForever")]
        public async Task<IResult> WaitsForever([HttpTrigger] HttpRequest request, CancellationToken cancellation)
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return Own("never");
        }

        [Function("ConnectionReset")]
        public IResult ConnectionReset([HttpTrigger] HttpRequest request) =>
            throw new ConnectionResetException(Own("").ToString()!);

        [Function("CancelsItself")]
        public IResult CancelsItself([HttpTrigger] HttpRequest request) =>
            throw new OperationCanceledException(Own("").ToString());

        public ValueTask DisposeAsync()
        {
            _seen.Disposed++;
            return ValueTask.CompletedTask;
        }

        private static IResult Text(string text) => Results.Text(text, statusCode: 202);

        private IResult Own(string text) => Own(Text(text));

        private T Own<T>(T answer) => _seen.Created > _seen.Disposed
            ? answer
            : throw new ObjectDisposedException(nameof(App));
    }

    private sealed class BrokenAnswer : IActionResult
    {
        public Task ExecuteResultAsync(ActionContext context)
        {
            context.HttpContext.Response.StatusCode = 202;
            throw new InvalidOperationException("no");
        }
    }

    private sealed class Call
    {
        private readonly FunctionDefinition _function;

        public Call(string function, string values = "", Seen? seen = null)
        {
            _function = FunctionDiscovery.Find([typeof(App)]).Single(one => one.Name == function);
            var services = new ServiceCollection().AddLogging().AddSingleton(seen ?? new Seen());
            services.AddMvcCore();
            Http = new DefaultHttpContext { RequestServices = services.BuildServiceProvider() };
            Http.Response.Body = new MemoryStream();
            foreach (var value in values.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                Http.Request.RouteValues[value.Split('=')[0]] = value.Split('=')[1];
        }

        public DefaultHttpContext Http { get; }

        public async Task<(int Status, string Body, LogLines Log)> Answer(CancellationToken stopping = default)
        {
            var log = new LogLines();
            await new HttpFunction(new FunctionInvoker(_function), log, stopping).AnswerAsync(Http);
            Http.Response.Body.Position = 0;
            using var reader = new StreamReader(Http.Response.Body);
            return (Http.Response.StatusCode, await reader.ReadToEndAsync(CancellationToken.None), log);
        }
    }
}

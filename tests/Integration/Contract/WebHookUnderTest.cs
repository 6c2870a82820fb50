using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Outpost.Forwarding;
using Outpost.Tests.Testing;
using Outpost.Tests.Unit.Docs;

namespace Outpost.Tests.Integration.Contract;

// <suite>
public sealed class The_web_hook_target : TargetContract
{
    protected override async Task<TargetUnderTest> StartAsync() => new WebHookUnderTest(await WebHook.StartAsync());

    private sealed class WebHookUnderTest(WebHook hook) : TargetUnderTest
    {
        public override IForwardTarget Target { get; } = new WebHookTarget(hook.Client, hook.Address, "http://localhost:7071");

        public override int TooLarge => WebHook.BytesMax + 1;

        public override Task<IReadOnlyList<Arrived>> ArrivedAsync(int count) => Task.FromResult<IReadOnlyList<Arrived>>(
            [.. hook.Events.Select(one => Arrived.From(one, Convert.FromBase64String(one.GetValueOrDefault("data_base64", "")), one.GetValueOrDefault("replay")))]);

        public override Task RefuseAsync(EventEntry entry) => hook.AnswerAsync(HttpStatusCode.UnprocessableEntity, where: entry.Id.ToString());

        public override Task BeginAsync(Weather weather) => weather switch
        {
            Weather.Silent => hook.SilenceAsync(),
            Weather.Away => hook.GoAwayAsync(),
            _ => hook.AnswerAsync(HttpStatusCode.TooManyRequests),
        };

        public override Task FineAsync() => hook.AnswerAsync(HttpStatusCode.OK);

        public override ValueTask DisposeAsync() => hook.DisposeAsync();
    }
}
// </suite>

/// <summary>A web hook on a connection of its own, which keeps the CloudEvents it gets and answers as it is told to.</summary>
internal sealed class WebHook : IAsyncDisposable
{
    public const int BytesMax = 200_000;

    private readonly Lock _lock = new();
    private readonly List<IReadOnlyDictionary<string, string>> _events = [];
    private readonly WebApplication _app;
    private (HttpStatusCode Status, string? Where) _answer = (HttpStatusCode.OK, null);
    private SilentProxy? _proxy;

    private WebHook()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>Without a proxy between; a connection that breaks is not used again.</summary>
    public HttpClient Client { get; } = new(new SocketsHttpHandler { UseProxy = false });

    public Uri Address => new($"http://127.0.0.1:{_proxy!.Port}/events");

    public IReadOnlyList<IReadOnlyDictionary<string, string>> Events
    {
        get
        {
            lock (_lock) return [.. _events];
        }
    }

    public static async Task<WebHook> StartAsync()
    {
        var hook = new WebHook();
        await hook._app.StartAsync();
        hook._proxy = new SilentProxy(new Uri(hook._app.Urls.Single()).Port);
        return hook;
    }

    /// <summary>From now on; or only to what has this id in it.</summary>
    public Task AnswerAsync(HttpStatusCode status, string? where = null)
    {
        lock (_lock) _answer = (status, where);
        _proxy!.Back();
        return Task.CompletedTask;
    }

    public Task SilenceAsync()
    {
        _proxy!.Silence();
        return Task.CompletedTask;
    }

    public Task GoAwayAsync()
    {
        _proxy!.Away();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _proxy!.Dispose();
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        context.Response.StatusCode = (int)Take(body);
    }

    private HttpStatusCode Take(string body)
    {
        lock (_lock)
        {
            if (body.Length > BytesMax) return HttpStatusCode.RequestEntityTooLarge;
            if (_answer.Status != HttpStatusCode.OK && (_answer.Where is not { } id || body.Contains(id, StringComparison.Ordinal))) return _answer.Status;
            _events.AddRange(JsonNode.Parse(body)!.AsArray().Select(one => one!.AsObject().ToDictionary(each => each.Key, each => (string)each.Value!)));
            return HttpStatusCode.OK;
        }
    }
}

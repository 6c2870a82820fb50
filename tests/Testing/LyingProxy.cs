using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Outpost.Tests.Testing;

/// <summary>What somebody between an app and its store does to an answer.</summary>
public enum Lie
{
    /// <summary>A page of some gateway, of any status; the request may have arrived or not.</summary>
    Page,

    /// <summary>An answer as the service gives it, of any status, but without its request id.</summary>
    Unmarked,

    /// <summary>A refusal as the service gives it: too busy, too slow, broken, not allowed, not there yet.</summary>
    Refusal,

    /// <summary>429 or 503, with the wish to be asked in an hour.</summary>
    ComeInAnHour,

    /// <summary>The service's answer with another time.</summary>
    WrongDate,

    /// <summary>A gateway's 502 from the year 2038.</summary>
    PageFrom2038,

    /// <summary>Half of the body.</summary>
    CutShort,

    /// <summary>The body of the answer to another request.</summary>
    SwappedBody,

    /// <summary>The whole answer to another request.</summary>
    SwappedAnswer,

    /// <summary>None; the request may have arrived or not.</summary>
    Silence,
}

/// <summary>A proxy in front of Azurite that answers in its place what gateways, mix-ups and broken networks answer.</summary>
internal sealed class LyingProxy : IAsyncDisposable
{
    private static readonly int[] Statuses = [200, 201, 202, 204, 301, 304, 400, 401, 403, 404, 407, 408, 409, 412, 413, 429, 500, 502, 503, 504];

    private static readonly (int Status, string Code)[] Refusals =
    [
        (503, "ServerBusy"), (500, "InternalError"), (500, "OperationTimedOut"), (429, "TooManyRequests"), (408, "RequestTimeout"),
        (403, "AuthorizationFailure"), (404, "TableNotFound"), (409, "TableBeingDeleted"),
    ];

    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _upstream = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
    });

    private readonly string _authority;
    private readonly Func<ProxiedRequest, Lie?> _plan;
    private readonly Random _random;
    private readonly ConcurrentDictionary<bool, (string Target, ProxiedAnswer Answer)> _last = new();
    private readonly ConcurrentDictionary<Lie, int> _told = new();
    private int _requests;

    private LyingProxy(string authority, Func<ProxiedRequest, Lie?> plan, int seed)
    {
        (_authority, _plan, _random) = (authority, plan, new Random(seed));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>Azurite's, with this proxy in between.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>How often each was told.</summary>
    public IReadOnlyDictionary<Lie, int> Told => _told;

    /// <summary>Requests so far.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <param name="plan">What is told instead of the truth; null: nothing. Called for several at once.</param>
    /// <param name="seed">Decides what the plan leaves open.</param>
    public static async Task<LyingProxy> StartAsync(Func<ProxiedRequest, Lie?> plan, int seed)
    {
        var tables = await Azurite.ConnectionStringAsync();
        var proxy = new LyingProxy(TableEndpoint.Authority(tables), plan, seed);
        await proxy._app.StartAsync();
        proxy.ConnectionString = TableEndpoint.Through(tables, proxy._app.Urls.Single());
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _upstream.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = await ProxiedRequest.ReadAsync(context.Request, Interlocked.Increment(ref _requests));
        var lie = _plan(request);
        if (lie is { } told) _told.AddOrUpdate(told, 1, (_, count) => count + 1);
        // Half of what is answered by somebody else has arrived all the same.
        var arrives = lie is null or Lie.WrongDate or Lie.CutShort or Lie.SwappedBody or Lie.SwappedAnswer || Next(2) == 0;
        if (lie is Lie.Refusal or Lie.ComeInAnHour) arrives = false;
        var truth = arrives ? await request.SendAsync(_upstream, _authority) : null;
        if (lie is Lie.Silence)
        {
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using (context.RequestAborted.Register(gone.SetResult)) await gone.Task;
            return;
        }

        var other = _last.TryGetValue(request.IsTransaction, out var last) && last.Target != request.Target ? last.Answer : null;
        if (truth is { Status: < 300 }) _last[request.IsTransaction] = (request.Target, truth);
        await Answer(lie, truth, other, request).WriteAsync(context, cutInTheBody: lie is Lie.CutShort && truth!.Body.Length > 1 && Next(2) == 0);
    }

    private ProxiedAnswer Answer(Lie? lie, ProxiedAnswer? truth, ProxiedAnswer? other, ProxiedRequest request) => lie switch
    {
        Lie.Page => Page(Statuses[Next(Statuses.Length)]),
        Lie.PageFrom2038 => With(Page(502), "Date", "Tue, 19 Jan 2038 03:14:07 GMT"),
        Lie.Unmarked => Unmarked(truth),
        Lie.Refusal => Refusal(Refusals[Next(Refusals.Length)], request),
        Lie.ComeInAnHour => With(Refusal(Refusals[Next(2) == 0 ? 0 : 3], request), "Retry-After", "3600"),
        Lie.WrongDate => With(truth!, "Date", WrongDate()),
        Lie.CutShort => truth! with { Body = truth!.Body[..(truth.Body.Length / 2)] },
        Lie.SwappedBody when other is not null => truth! with { Body = other.Body },
        Lie.SwappedAnswer when other is not null => other,
        _ => truth!,
    };

    private ProxiedAnswer Unmarked(ProxiedAnswer? truth)
    {
        if (truth is not null && Next(2) == 0)
            return truth with { Headers = [.. truth.Headers.Where(header => !header.Key.StartsWith("x-ms-", StringComparison.OrdinalIgnoreCase))] };
        var (status, code) = new[] { (404, "ResourceNotFound"), (409, "EntityAlreadyExists"), (412, "UpdateConditionNotSatisfied"), (404, "TableNotFound") }[Next(4)];
        return ProxiedAnswer.Failure(status, code);
    }

    private static ProxiedAnswer Refusal((int Status, string Code) what, ProxiedRequest request) =>
        With(With(ProxiedAnswer.Failure(what.Status, what.Code), "x-ms-request-id", Guid.NewGuid().ToString()), "x-ms-client-request-id", request.ClientRequestId);

    private static ProxiedAnswer Page(int status) => new(
        status, [new("Content-Type", "text/html")], status is 204 or 304 ? [] : Encoding.UTF8.GetBytes("<html><body>Please log in</body></html>"));

    private static ProxiedAnswer With(ProxiedAnswer answer, string name, string value) => answer with
    {
        Headers = [.. answer.Headers.Where(header => !string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase)), new(name, value)],
    };

    private string WrongDate() => Next(6) switch
    {
        0 => "Tue, 19 Jan 2038 03:14:07 GMT",
        1 => "Thu, 01 Jan 1970 00:00:00 GMT",
        2 => "yesterday",
        3 => DateTimeOffset.UtcNow.AddHours(1).ToString("R", CultureInfo.InvariantCulture),
        4 => DateTimeOffset.UtcNow.AddHours(-1).ToString("R", CultureInfo.InvariantCulture),
        _ => DateTimeOffset.UtcNow.AddDays(Next(10_000)).ToString("R", CultureInfo.InvariantCulture),
    };

    private int Next(int below)
    {
        lock (_random) return _random.Next(below);
    }
}

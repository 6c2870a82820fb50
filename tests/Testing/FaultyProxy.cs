using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Outpost.Tests.Testing;

/// <summary>What happens to a request on the wire.</summary>
public enum WireFault
{
    /// <summary>The connection is cut before the service sees the request: no effect.</summary>
    CutBefore,

    /// <summary>The effect happens; the connection is cut instead of an answer.</summary>
    CutAfter,

    /// <summary>The effect happens; the connection is cut in the middle of the answer's body.</summary>
    CutInTheAnswer,

    /// <summary>
    /// The client hears nothing until it gives up. The effect happens just ahead of the next request of a writer
    /// (<see cref="ProxiedRequest.IsOfAWriter"/>). A read never gets an answer.
    /// </summary>
    LandsBeforeTheNext,

    /// <summary>As before, but the effect happens behind that next request's effect and before its answer.</summary>
    LandsAfterTheNext,

    /// <summary>500, without an effect.</summary>
    Answers500,

    /// <summary>503, without an effect.</summary>
    Answers503,

    /// <summary>429, without an effect.</summary>
    Answers429,

    /// <summary>503, and the effect happens all the same.</summary>
    Answers503AfterTheEffect,
}

/// <summary>
/// A proxy in front of Azurite that fails chosen requests as networks do: real connections that break and real
/// waiting, below everything a client does by itself. One for each process under test.
/// </summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _upstream;
    private readonly string _authority;
    private readonly Func<ProxiedRequest, WireFault?> _plan;
    private readonly Lock _lock = new();
    private readonly List<(ProxiedRequest Request, WireFault Fault)> _held = [];
    private readonly ConcurrentDictionary<(WireFault Fault, bool OfATransaction), int> _fired = new();
    private int _requests;
    private int _landed;

    private FaultyProxy(string authority, Func<ProxiedRequest, WireFault?> plan)
    {
        (_authority, _plan) = (authority, plan);
        _upstream = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
        });
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

    /// <summary>Requests so far, repeats included.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Requests that took effect after their client had given up.</summary>
    public int Landed => Volatile.Read(ref _landed);

    /// <param name="plan">What happens to each request; null: nothing special. Called for several at once.</param>
    /// <param name="tables">Connection string of the Azurite behind it; null: the one all tests share.</param>
    public static async Task<FaultyProxy> StartAsync(Func<ProxiedRequest, WireFault?> plan, string? tables = null)
    {
        tables ??= await Azurite.ConnectionStringAsync();
        var proxy = new FaultyProxy(TableEndpoint.Authority(tables), plan);
        await proxy._app.StartAsync();
        proxy.ConnectionString = TableEndpoint.Through(tables, proxy._app.Urls.Single());
        return proxy;
    }

    /// <summary>How often a fault happened to a transaction, or to anything else.</summary>
    public int Fired(WireFault fault, bool toATransaction) => _fired.GetValueOrDefault((fault, toATransaction));

    /// <summary>What is still held back takes effect now.</summary>
    public async Task LandAllAsync()
    {
        await LandAsync(WireFault.LandsBeforeTheNext);
        await LandAsync(WireFault.LandsAfterTheNext);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _upstream.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = await ProxiedRequest.ReadAsync(context.Request, Interlocked.Increment(ref _requests));
        var fault = _plan(request);
        if (fault is { } fired) _fired.AddOrUpdate((fired, request.IsTransaction), 1, (_, count) => count + 1);
        if (fault is WireFault.LandsBeforeTheNext or WireFault.LandsAfterTheNext)
        {
            await HoldAsync(request, fault.Value, context.RequestAborted);
            return;
        }

        if (request.IsOfAWriter) await LandAsync(WireFault.LandsBeforeTheNext);
        var answer = await AnswerAsync(request, fault);
        if (request.IsOfAWriter) await LandAsync(WireFault.LandsAfterTheNext);
        if (answer is null) context.Abort();
        else await answer.WriteAsync(context, cutInTheBody: fault == WireFault.CutInTheAnswer);
    }

    // Null: none, the connection is to be cut.
    private async Task<ProxiedAnswer?> AnswerAsync(ProxiedRequest request, WireFault? fault)
    {
        switch (fault)
        {
            case WireFault.CutBefore:
                return null;
            case WireFault.CutAfter:
                await request.SendAsync(_upstream, _authority);
                return null;
            case WireFault.Answers503AfterTheEffect:
                await request.SendAsync(_upstream, _authority);
                return ProxiedAnswer.Failure(503, "ServerBusy");
            case WireFault.Answers500:
                return ProxiedAnswer.Failure(500, "InternalError");
            case WireFault.Answers503:
                return ProxiedAnswer.Failure(503, "ServerBusy");
            case WireFault.Answers429:
                return ProxiedAnswer.Failure(429, "TooManyRequests");
            default:
                return await request.SendAsync(_upstream, _authority);
        }
    }

    private async Task HoldAsync(ProxiedRequest request, WireFault fault, CancellationToken clientGaveUp)
    {
        if (request.IsWrite)
        {
            lock (_lock) _held.Add((request, fault));
        }

        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (clientGaveUp.Register(gone.SetResult)) await gone.Task;
    }

    private async Task LandAsync(WireFault fault)
    {
        List<ProxiedRequest> landing;
        lock (_lock)
        {
            landing = [.. _held.Where(held => held.Fault == fault).Select(held => held.Request)];
            _held.RemoveAll(held => held.Fault == fault);
        }

        foreach (var request in landing)
        {
            await request.SendAsync(_upstream, _authority);
            Interlocked.Increment(ref _landed);
        }
    }
}

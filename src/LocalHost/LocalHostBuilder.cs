using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Yarp.ReverseProxy.Forwarder;

namespace Outpost.LocalHost;

/// <summary>Builds the two servers: one for people and programs, one for the worker.</summary>
internal static class LocalHostBuilder
{
    private const string BodyLimit = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";
    private const long DefaultBodyLimit = 104_857_600;

    /// <summary>Builds the server that answers requests. Its routes are known once the worker has listed its functions.</summary>
    public static WebApplication BuildFront(LocalHostOptions options, IEnumerable<KeyValuePair<string, string?>> settings, Task<IRouter> routes)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        LoopbackGuard.CheckAddresses(configuration);
        var builder = CreateBuilder(configuration, settings);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = RequestBodyLimit(configuration);
            kestrel.Listen(IPAddress.Loopback, options.Port);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopWithin);
        builder.Services.AddRouting();
        builder.Services.AddHttpForwarder();
        builder.Services.AddSingleton(new RequestLimits(configuration));
        var app = builder.Build();
        app.Run(http => GuardAsync(http, () => AnswerAsync(http, routes)));
        return app;
    }

    /// <summary>
    /// Builds the server that workers connect to. It has a port of its own, so that no other request gets there.
    /// </summary>
    public static WebApplication BuildBack(IEnumerable<KeyValuePair<string, string?>> settings, WorkerChannels channels)
    {
        var builder = CreateBuilder(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), settings);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton(channels);
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        var app = builder.Build();
        app.MapGrpcService<WorkerRpc>();
        return app;
    }

    /// <summary>Builds the routes of an app's functions. Each passes its requests on to the worker.</summary>
    public static IRouter Routes(WebApplication app, IEnumerable<FunctionDefinition> functions, WorkerSupervisor worker)
    {
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        var client = new HttpMessageInvoker(new ConnectingAgain(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            // The caller's own trace headers pass through unchanged.
            ActivityHeadersPropagator = null,
            // The servers on both sides read headers as UTF-8.
            RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.UTF8,
        }));
        return FunctionRoutes.Build(
            functions.Where(function => !HostSettings.IsDisabled(app.Configuration, function.Name)),
            HostSettings.RoutePrefix(app.Configuration),
            app.Services.GetRequiredService<IInlineConstraintResolver>(),
            function => new HttpFunction(
                function, HostSettings.RecordsSpans(app.Configuration), worker, app.Services.GetRequiredService<IHttpForwarder>(), client,
                loggers.CreateLogger($"Function.{function.Name}"), app.Lifetime.ApplicationStopping).AnswerAsync);
    }

    private static Task GuardAsync(HttpContext http, Func<Task> answer)
    {
        if (LoopbackGuard.IsForThisMachine(http.Request))
            return http.RequestServices.GetRequiredService<RequestLimits>().TakeAsync(http, answer);
        http.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        return Task.CompletedTask;
    }

    private static async Task AnswerAsync(HttpContext http, Task<IRouter> routes)
    {
        var router = await routes.WaitAsync(http.RequestAborted);
        var context = new RouteContext(http);
        context.RouteData.Routers.Add(router);
        await router.RouteAsync(context);
        if (context.Handler is null)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        http.Features.Set<IRoutingFeature>(new RoutingFeature { RouteData = context.RouteData });
        await context.Handler(http);
    }

    private static WebApplicationBuilder CreateBuilder(IConfiguration configuration, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        // An empty builder watches no files and adds no providers that a local host does not need.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            EnvironmentName = configuration["AZURE_FUNCTIONS_ENVIRONMENT"] ?? Environments.Development,
        });
        builder.Configuration.AddInMemoryCollection(settings);
        // The framework would read these settings as addresses of its own.
        builder.Configuration.AddInMemoryCollection(
            ((string[])["urls", "http_ports", "https_ports"]).Select(key => KeyValuePair.Create(key, (string?)"")));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        // A failed start is reported in one line, so it is not logged too.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        // Standard output is for the lines that programs read.
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        return builder;
    }

    private static long RequestBodyLimit(IConfiguration configuration)
    {
        if (configuration[BodyLimit] is not { Length: > 0 } text) return DefaultBodyLimit;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            ? limit
            : throw new StartException($"{BodyLimit} is '{text}'; it must be a number of bytes.");
    }

    /// <summary>Ignores signals. The whole host handles them, and stops its servers itself.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Outpost.LocalHost;

/// <summary>Puts the app's wiring and its functions on a plain web host.</summary>
internal static class LocalHostBuilder
{
    private const string BodyLimit = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";
    private const long DefaultBodyLimit = 104_857_600;

    public static WebApplication Build(
        LocalHostOptions options, IEnumerable<KeyValuePair<string, string?>> settings,
        IReadOnlyList<FunctionDefinition> functions, Surroundings surroundings, StrongBox<bool> started)
    {
        if (FunctionChecks.Problems(functions) is [_, ..] problems)
            throw new StartException(string.Join(" ", problems));

        var builder = CreateBuilder(options, settings);
        // Until the start has succeeded, what went wrong with it is told in one line, not logged as well.
        builder.Logging.AddFilter(
            "Microsoft.Extensions.Hosting.Internal.Host",
            level => started.Value && level >= LogLevel.Warning);
        var enabled = functions.Where(one => !HostSettings.IsDisabled(builder.Configuration, one.Name)).ToList();
        surroundings.Wire(builder);
        AddTimers(builder, enabled, options.Data, surroundings.Time);

        var app = builder.Build();
        app.Use((http, next) =>
        {
            if (LoopbackGuard.Refusal(http.Request) is not { } status)
                return next(http);
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        app.UseRouter(Routes(app, enabled));
        return app;
    }

    private static WebApplicationBuilder CreateBuilder(
        LocalHostOptions options, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        LoopbackGuard.CheckAddresses(configuration);

        // Empty: no watched files, no providers that a laptop host has no use for.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ContentRootPath = options.Root,
            EnvironmentName = configuration["AZURE_FUNCTIONS_ENVIRONMENT"] ?? Environments.Development,
        });
        builder.Configuration.AddInMemoryCollection(settings);
        // What the framework would read as addresses of its own.
        builder.Configuration.AddInMemoryCollection(
            ((string[])["urls", "http_ports", "https_ports"]).Select(key => KeyValuePair.Create(key, (string?)"")));

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBodyLimit(configuration);
            kestrel.Listen(IPAddress.Loopback, options.Port);
        });
        builder.Host.UseDefaultServiceProvider(provider => provider.ValidateScopes = provider.ValidateOnBuild = true);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopWithin);
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        builder.Services.AddRouting();
        builder.Services.AddMvcCore();
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        // Standard output belongs to the lines that programs read.
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        return builder;
    }

    private static void AddTimers(
        WebApplicationBuilder builder, IEnumerable<FunctionDefinition> functions, string? data, TimeProvider time)
    {
        builder.Services.TryAddSingleton(time);
        var now = time.GetUtcNow().UtcDateTime;
        var timers = functions.Where(function => function.Trigger is TimerFunctionTrigger)
            .Select(function => (Plan: TimerPlan.For(function, builder.Configuration, now), Invoker: new FunctionInvoker(function)))
            .Where(timer => timer.Plan is not null)
            .Select(timer => (timer.Plan!, timer.Invoker))
            .ToList();
        builder.Services.AddSingleton<IHostedService>(services =>
        {
            var files = data is null ? null : new TimerRecordFiles(
                Path.Combine(data, "timers"), services.GetRequiredService<ILogger<TimerRecordFiles>>());
            return new TimerService(
                timers, files, services.GetRequiredService<IServiceScopeFactory>(),
                services.GetRequiredService<IHostApplicationLifetime>(), time,
                services.GetRequiredService<ILoggerFactory>());
        });
    }

    private static IRouter Routes(WebApplication app, IEnumerable<FunctionDefinition> functions)
    {
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        return FunctionRoutes.Build(
            functions, HostSettings.RoutePrefix(app.Configuration),
            app.Services.GetRequiredService<IInlineConstraintResolver>(),
            function => new HttpFunction(
                new FunctionInvoker(function), loggers.CreateLogger($"Function.{function.Name}"),
                app.Lifetime.ApplicationStopping).AnswerAsync);
    }

    private static long RequestBodyLimit(IConfiguration configuration)
    {
        if (configuration[BodyLimit] is not { Length: > 0 } text)
            return DefaultBodyLimit;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            ? limit
            : throw new StartException($"{BodyLimit} is '{text}'; it must be a number of bytes.");
    }
}

using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Outpost.AspNetCore;
using Outpost.AzureFunctions;

namespace Outpost;

/// <summary>
/// Sets up Outpost in an isolated function app. The functions for the timer, the feed, operations, the dashboard and
/// health come with the package.
/// </summary>
public static class FunctionAppServices
{
    /// <summary>
    /// Sets up Outpost with the app's settings (docs/reference.md). Call it once, after
    /// <c>ConfigureFunctionsWebApplication</c>, and add targets, handlers and events to what it returns. A bad setting
    /// stops the start.
    /// </summary>
    /// <param name="builder">The function app.</param>
    /// <param name="configure">Changes the options after the settings were read, so it wins over them.</param>
    /// <exception cref="InvalidSettingException">A setting about telemetry or operators has a value that is not allowed.</exception>
    public static OutpostBuilder AddOutpost(this FunctionsApplicationBuilder builder, Action<OutpostOptions>? configure = null)
    {
        // ASP.NET Core logs several lines for each request, with addresses that hold keys. The port that it logs at the
        // start is between the host and this process: whoever tries it gets no answer.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        if (!TelemetrySettings.IsSet(builder.Configuration)) builder.Logging.AddProvider(new LinesOutsideRuns(Console.Out));
        // The host's own limit, in bytes. Each function reads much less, and answers 413. A smaller limit here would
        // cut the connection before the host has that answer, and the host would turn it into a 500.
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = 104_857_600);
        builder.Services.AddSingleton(provider => new AppEndpoints(() => HttpFunctions.Of(provider.GetRequiredService<IFunctionMetadataProvider>())));
        builder.Services.AddOperators(builder.Configuration);
        return builder.Services.AddOutpost(options =>
        {
            options.HasOwnTimer = false;
            configure?.Invoke(options);
        });
    }

    /// <summary>
    /// Sends this app's metrics, spans and log lines to Azure Monitor and to a collector, where the settings
    /// <c>APPLICATIONINSIGHTS_CONNECTION_STRING</c> and <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> say so. An app with an
    /// OpenTelemetry set-up of its own adds the meter and the source <c>Outpost</c> there instead.
    /// </summary>
    /// <param name="builder">The function app.</param>
    /// <exception cref="InvalidSettingException">A setting has a value that is not allowed.</exception>
    public static FunctionsApplicationBuilder AddOutpostTelemetry(this FunctionsApplicationBuilder builder)
    {
        builder.Services.AddTelemetry(TelemetrySettings.Read(builder.Configuration));
        return builder;
    }
}

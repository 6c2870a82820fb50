using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Outpost.AspNetCore;
using Outpost.AzureFunctions;

namespace Outpost;

/// <summary>Sets Outpost up in an isolated function app. Its functions (timer, feed, operations, dashboard, health) come with the package.</summary>
public static class FunctionAppServices
{
    /// <summary>
    /// Sets Outpost up with the app's settings (docs/reference.md), after <c>ConfigureFunctionsWebApplication</c>. Call it
    /// once; targets, handlers and events are added to what it returns. A bad setting stops the start.
    /// </summary>
    /// <param name="builder">The function app.</param>
    /// <param name="configure">Wins over the settings.</param>
    /// <exception cref="InvalidSettingException">A setting about telemetry or operators has a value that is not allowed.</exception>
    public static OutpostBuilder AddOutpost(this FunctionsApplicationBuilder builder, Action<OutpostOptions>? configure = null)
    {
        // ASP.NET Core tells of each request in several lines, addresses with keys in them: nobody needs those. The port that it
        // tells of at start is between the host and this process: whoever tries it gets no answer.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        if (!TelemetrySettings.IsSet(builder.Configuration)) builder.Logging.AddProvider(new LinesOutsideRuns(Console.Out));
        // The host's own limit. Each function reads much less, and answers 413; a smaller one here would cut the connection
        // before the host has that answer, and the host would make a 500 of it.
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
    /// Sends metrics, spans and log lines of this app to Azure Monitor and to a collector, where the settings
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

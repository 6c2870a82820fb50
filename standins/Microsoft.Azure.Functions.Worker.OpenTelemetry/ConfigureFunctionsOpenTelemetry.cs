using System.Reflection;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Microsoft.Azure.Functions.Worker.OpenTelemetry;

public static class ConfigureFunctionsOpenTelemetry
{
    /// <summary>The worker's spans, and the app's name; there is no Functions host to be told to leave them to it.</summary>
    public static IOpenTelemetryBuilder UseFunctionsWorkerDefaults(this IOpenTelemetryBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder
            .ConfigureResource(resource =>
            {
                if (Environment.GetEnvironmentVariable("OTEL_SERVICE_NAME") is null or "")
                    resource.AddService(ServiceName, autoGenerateServiceInstanceId: false);
            })
            .WithTracing(tracing => tracing.AddSource("Microsoft.Azure.Functions.Worker"));
    }

    private static string ServiceName =>
        Environment.GetEnvironmentVariable("WEBSITE_SITE_NAME") ?? Assembly.GetEntryAssembly()?.GetName().Name ?? "unknown";
}

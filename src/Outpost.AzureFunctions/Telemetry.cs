using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;

namespace Outpost.AzureFunctions;

/// <summary>
/// Sends metrics, spans and log lines from this process, by OpenTelemetry: a meter in an isolated worker reaches nobody
/// by itself, and the Functions host no longer passes on log lines of a worker that exports for itself.
/// </summary>
internal static class Telemetry
{
    private const string ClientName = "Outpost.Client";

    public static void AddTelemetry(this IServiceCollection services, TelemetrySettings settings)
    {
        // Without a destination nothing may change: the worker's defaults would keep log lines from the host.
        if (settings is { Monitor: null, HasOtlp: false }) return;
        var telemetry = services.AddOpenTelemetry()
            .UseFunctionsWorkerDefaults()
            // And those of the package Outpost.Client, where the app also handles events of others.
            .WithTracing(tracing => tracing.AddSource(OutpostMetrics.Name, ClientName))
            .WithMetrics(metrics => metrics.AddMeter(OutpostMetrics.Name, ClientName));
        if (settings.Monitor is { } monitor)
        {
            telemetry.UseAzureMonitorExporter(options =>
            {
                options.ConnectionString = monitor.ConnectionString;
                if (monitor.ByIdentity) options.Credential = AzureIdentity.Of(monitor.ClientId);
                // Spans are sampled; a log line says something once, and must not be lost with the span it was said in.
                options.EnableTraceBasedLogsSampler = false;
            });
        }

        // Endpoint, protocol, headers and intervals come from the OTEL_ settings.
        if (settings.HasOtlp) telemetry.UseOtlpExporter();
    }
}

/// <summary>Where telemetry goes; the settings have the names that the Functions host and OpenTelemetry gave them.</summary>
/// <param name="Monitor">Azure Monitor, or null.</param>
/// <param name="HasOtlp">Whether there is a collector that takes OTLP.</param>
internal sealed record TelemetrySettings(MonitorConnection? Monitor, bool HasOtlp)
{
    private const string Connection = "APPLICATIONINSIGHTS_CONNECTION_STRING";
    private const string Authentication = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";
    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Whether lines go anywhere: the Functions host then passes on none of them.</summary>
    public static bool IsSet(IConfiguration configuration) =>
        !string.IsNullOrEmpty(configuration[Connection]) || !string.IsNullOrEmpty(configuration[OtlpEndpoint]);

    /// <exception cref="InvalidSettingException">A setting has a value that is not allowed.</exception>
    public static TelemetrySettings Read(IConfiguration configuration)
    {
        var endpoint = configuration[OtlpEndpoint];
        var hasOtlp = !string.IsNullOrEmpty(endpoint);
        if (hasOtlp && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
            throw new InvalidSettingException(OtlpEndpoint, endpoint!, "an absolute http or https URL");
        var (byIdentity, clientId) = Identity(configuration[Authentication]);
        return new TelemetrySettings(
            configuration[Connection] is { Length: > 0 } connection ? new MonitorConnection(connection, byIdentity, clientId) : null,
            hasOtlp);
    }

    // As the Functions host reads it: Authorization=AAD for the app's own identity, ;ClientId=… for a user-assigned one.
    private static (bool ByIdentity, string? ClientId) Identity(string? text)
    {
        if (string.IsNullOrEmpty(text)) return (false, null);
        var parts = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var clientIds = parts.Where(part => Is(part, "ClientId=")).ToList();
        if (parts.Count(part => Is(part, "Authorization=AAD") && part.Length == "Authorization=AAD".Length) != 1 ||
            clientIds.Count > 1 || parts.Length != 1 + clientIds.Count)
            throw new InvalidSettingException(Authentication, text, "Authorization=AAD, with or without ;ClientId=…,");
        return (true, clientIds.Count == 0 ? null : clientIds[0]["ClientId=".Length..]);

        static bool Is(string part, string start) => part.StartsWith(start, StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>Application Insights, and as whom to go there.</summary>
/// <param name="ConnectionString">Its connection string.</param>
/// <param name="ByIdentity">By managed identity; else by the key in the connection string.</param>
/// <param name="ClientId">A user-assigned identity; null: the app's own.</param>
internal sealed record MonitorConnection(string ConnectionString, bool ByIdentity, string? ClientId)
{
    // The connection string may hold a key.
    public override string ToString() => nameof(MonitorConnection);
}

using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;

namespace Outpost.AzureFunctions;

/// <summary>
/// Sends metrics, spans and log lines from this process by OpenTelemetry. A meter in an isolated worker reaches nobody
/// by itself, and the Functions host passes on no log lines of a worker that exports its own.
/// </summary>
internal static class Telemetry
{
    private const string ClientName = "Outpost.Client";

    public static void AddTelemetry(this IServiceCollection services, TelemetrySettings settings)
    {
        // Without a destination nothing may change, because the worker's defaults would keep log lines from the host.
        if (settings is { Monitor: null, HasOtlp: false }) return;
        var telemetry = services.AddOpenTelemetry()
            .UseFunctionsWorkerDefaults()
            // The package Outpost.Client has a source and a meter too, where the app also handles events of others.
            .WithTracing(tracing => tracing.AddSource(OutpostMetrics.Name, ClientName))
            .WithMetrics(metrics => metrics.AddMeter(OutpostMetrics.Name, ClientName));
        if (settings.Monitor is { } monitor)
        {
            telemetry.UseAzureMonitorExporter(options =>
            {
                options.ConnectionString = monitor.ConnectionString;
                if (monitor.ByIdentity) options.Credential = AzureIdentity.Of(monitor.ClientId);
                // Spans are sampled. A log line says something only once, and must not be lost with its span.
                options.EnableTraceBasedLogsSampler = false;
            });
        }

        // Endpoint, protocol, headers and intervals come from the OTEL_ settings.
        if (settings.HasOtlp) telemetry.UseOtlpExporter();
    }
}

/// <summary>Where telemetry goes. The settings have the names that the Functions host and OpenTelemetry gave them.</summary>
/// <param name="Monitor">Azure Monitor; null: it gets nothing.</param>
/// <param name="HasOtlp">Whether there is a collector that takes OTLP.</param>
internal sealed record TelemetrySettings(MonitorConnection? Monitor, bool HasOtlp)
{
    private const string Connection = "APPLICATIONINSIGHTS_CONNECTION_STRING";
    private const string Authentication = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";
    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Whether log lines go anywhere. Then the Functions host passes on none of them.</summary>
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

    // The Functions host reads it in the same way: Authorization=AAD for the app's own identity, ;ClientId=… for a
    // user-assigned one.
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

/// <summary>How to reach Application Insights, and with which identity.</summary>
/// <param name="ConnectionString">Its connection string.</param>
/// <param name="ByIdentity">True: by managed identity. False: by the key in the connection string.</param>
/// <param name="ClientId">A user-assigned identity; null: the app's own.</param>
internal sealed record MonitorConnection(string ConnectionString, bool ByIdentity, string? ClientId)
{
    // The connection string may hold a key, so this text leaves it out.
    public override string ToString() => nameof(MonitorConnection);
}

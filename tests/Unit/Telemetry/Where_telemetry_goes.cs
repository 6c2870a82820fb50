using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Outpost.AzureFunctions;

namespace Outpost.Tests.Unit.Telemetry;

[Collection(nameof(Where_telemetry_goes))]
public sealed class Where_telemetry_goes
{
    private const string Monitor = "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://127.0.0.1:9/";

    // The worker's defaults keep log lines from the host: they may only be on where something else takes them.
    [Fact]
    public void Is_nowhere_without_a_setting_and_nothing_changes()
    {
        var services = new ServiceCollection();

        services.AddTelemetry(Read());

        Assert.Empty(services);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]
    [InlineData("APPLICATIONINSIGHTS_CONNECTION_STRING", Monitor)]
    public void Is_where_the_setting_says(string name, string value)
    {
        using var app = App((name, value));

        Assert.NotNull(app.GetService<TracerProvider>());
        Assert.NotNull(app.GetService<MeterProvider>());
        using var span = OutpostMetrics.Activities.StartActivity("command x");
        Assert.NotNull(span);
    }

    [Theory]
    [InlineData("Authorization=AAD", typeof(DefaultAzureCredential))]
    [InlineData("authorization=aad; ClientId=11111111-2222-3333-4444-555555555555", typeof(ManagedIdentityCredential))]
    [InlineData("", null)]
    public void May_ask_for_a_managed_identity(string authentication, Type? credential)
    {
        using var app = App(("APPLICATIONINSIGHTS_CONNECTION_STRING", Monitor), ("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", authentication));

        var options = app.GetRequiredService<IOptions<AzureMonitorExporterOptions>>().Value;

        Assert.Equal((Monitor, credential), (options.ConnectionString, options.Credential?.GetType()));
    }

    [Fact]
    public void Is_told_every_log_line_however_few_spans_it_is_told()
    {
        using var app = App(("APPLICATIONINSIGHTS_CONNECTION_STRING", Monitor));

        Assert.False(app.GetRequiredService<IOptions<AzureMonitorExporterOptions>>().Value.EnableTraceBasedLogsSampler);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "file:///tmp")]
    [InlineData("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "ClientId=1")]
    [InlineData("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "Authorization=AAD;Client=1")]
    [InlineData("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "Authorization=AADx")]
    public void Is_refused_at_the_start_where_it_makes_no_sense(string name, string value)
    {
        var refusal = Assert.Throws<InvalidSettingException>(() => Read((name, value)));

        // It may hold a key.
        var shown = value.Contains('=', StringComparison.Ordinal) ? $"this value of {value.Length} characters (not shown, it may hold a key)" : $"'{value}'";
        Assert.StartsWith($"{name}: {shown} is not allowed", refusal.Message, StringComparison.Ordinal);
    }

    private static TelemetrySettings Read(params (string Name, string Value)[] settings) => TelemetrySettings.Read(Configuration(settings));

    private static IConfiguration Configuration((string Name, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)))
        .Build();

    private static ServiceProvider App(params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton(Configuration(settings));
        services.AddLogging();
        services.AddTelemetry(Read(settings));
        return services.BuildServiceProvider();
    }
}

/// <summary>Not beside other tests: an exporter listens to the spans of the whole process.</summary>
[CollectionDefinition(nameof(Where_telemetry_goes), DisableParallelization = true)]
public sealed class Where_telemetry_goes_alone;

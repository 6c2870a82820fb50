using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Outpost.Forwarding;
using Outpost.AspNetCore;
using Outpost.Orders;
using Outpost.Retention;
using Outpost.ServiceBus;
using Outpost.Tables;

namespace Outpost.Functions;

/// <summary>The one place where the app is put together; called by Program.cs.</summary>
public static class Wiring
{
    /// <summary>The forwarder that brings entries to Service Bus.</summary>
    public const string ServiceBusForwarder = "servicebus";

    /// <summary>Reads the settings and registers everything the functions need.</summary>
    /// <exception cref="InvalidSettingException">A setting is missing or has a value that is not allowed.</exception>
    public static void AddOutpost(this IHostApplicationBuilder builder)
    {
        var settings = Settings.Read(builder.Configuration);
        var services = builder.Services;
        // ASP.NET Core tells of each request in several lines, addresses with keys in them: nobody needs those.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        services.AddSingleton(new Sources(TimeProvider.System, Guid.NewGuid, Random.Shared.NextDouble));
        services.AddSingleton(provider => provider.GetRequiredService<Sources>().Time);
        services.AddSingleton<OutpostMetrics>();
        services.AddSingleton<StoreProblems>();
        services.AddSingleton(Problems(settings));
        var telemetry = TelemetrySettings.Read(builder.Configuration);
        services.AddTelemetry(telemetry);
        if (telemetry is { Monitor: null, HasOtlp: false }) builder.Logging.AddProvider(new LinesOutsideRuns(Console.Out));
        AddLog(services, settings);
        AddForwarders(services, settings);
        services.AddTargets(builder.Configuration, settings);
        services.AddSingleton(new EventApiOptions(settings.FinalMaxAge, settings.Source)
        {
            WaitersMax = settings.WaitersMax,
            Links = settings.Links,
            EventsKeptFor = settings.Retention.EventsAtLeast,
        });
        services.AddSingleton(settings.Links);
        services.AddSingleton<EventApi>();
        services.AddSingleton<PartitionApi>();
        services.AddSingleton<HealthApi>();
        services.AddSingleton<DashboardPage>();
        services.AddSingleton<OrderApi>();
        services.AddSingleton<OpenApiDocument>();
        services.AddSingleton<FaultBoundary>();
        services.AddHostedService<StartupCheck>();
        // The host's own limit. Each function reads much less, and answers 413; a smaller one here would cut the connection
        // before the host has that answer, and the host would make a 500 of it.
        services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = 104_857_600);
        // Requests and deliveries under way have this long to end, then the writers their own few seconds; all within 15.
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(9));
    }

    private static void AddLog(IServiceCollection services, Settings settings)
    {
        CheckConnectionString("TableStorage", settings.TableStorage, text => new TableServiceClient(text));
        services.AddSingleton(new TableStorageOptions
        {
            ConnectionString = settings.TableStorage.ConnectionString,
            ServiceUri = ServiceUri(settings.TableStorage),
            Credential = CredentialOf(settings.TableStorage),
            TableName = settings.TableName,
            Partitions = settings.PartitionCount,
        });
        services.AddSingleton<StoreClock>();
        services.AddSingleton(provider => provider.GetRequiredService<TableStorageOptions>().CreateClient(
            provider.GetRequiredService<StoreClock>(), provider.GetRequiredService<OutpostMetrics>()));
        services.AddSingleton<IEventStore>(provider => new TableEventStore(
            provider.GetRequiredService<TableClient>(),
            settings.PartitionCount,
            provider.GetRequiredService<StoreClock>(),
            provider.GetRequiredService<Sources>(),
            provider.GetRequiredService<ILogger<TableEventStore>>(),
            provider.GetRequiredService<OutpostMetrics>(),
            provider.GetRequiredService<StoreProblems>()));
        services.AddSingleton<PartitionWatch>();
        services.AddSingleton<EventLog>();
    }

    private static void AddForwarders(IServiceCollection services, Settings settings)
    {
        services.AddSingleton(provider => new ForwardingOptions
        {
            Owner = $"{Environment.MachineName}-{Environment.ProcessId}-{provider.GetRequiredService<Sources>().NewId():N}"[..^20],
            Linger = settings.Linger,
            Poll = settings.Poll,
        });
        services.AddSingleton(provider => new TableForwardingStore(
            provider.GetRequiredService<TableClient>(), provider.GetRequiredService<Sources>(), provider.GetRequiredService<StoreProblems>()));
        services.AddSingleton<IHeartbeatStore>(provider => new TableHeartbeatStore(
            provider.GetRequiredService<TableClient>(), provider.GetRequiredService<Sources>(), provider.GetRequiredService<StoreProblems>()));
        services.AddSingleton(provider => new Heartbeats(
            provider.GetRequiredService<IHeartbeatStore>(),
            provider.GetRequiredService<ForwardingOptions>().Owner,
            [.. provider.GetServices<Forwarder>().Select(forwarder => forwarder.Name)],
            settings.Schedule,
            () => provider.GetRequiredService<IEventStore>().Now,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IForwardingStore>(provider => provider.GetRequiredService<TableForwardingStore>());
        services.AddSingleton<IRetentionStore, TableRetentionStore>();
        services.AddSingleton(settings.Retention);
        services.AddSingleton<RetentionRunner>();
        services.AddSingleton(provider => provider.GetRequiredService<IEventStore>().Heads);
        services.AddSingleton<Ticks>();
        services.AddSingleton<ForwarderOperations>();
        services.AddSingleton<OperationsApi>();
        services.AddSingleton(provider => new ForwardingEngine(
            provider.GetRequiredService<IEventStore>(),
            provider.GetRequiredService<IForwardingStore>(),
            provider.GetRequiredService<PartitionWatch>(),
            [.. provider.GetServices<Forwarder>()],
            provider.GetRequiredService<ForwardingOptions>(),
            provider.GetRequiredService<Sources>(),
            provider.GetRequiredService<OutpostMetrics>(),
            provider.GetRequiredService<ILogger<ForwardingEngine>>())
        {
            Heartbeats = provider.GetRequiredService<Heartbeats>(),
        });
        services.AddHostedService<ForwardOnCommit>();
        AddServiceBus(services, settings);
        AddRefunds(services, settings);
    }

    private static void AddServiceBus(IServiceCollection services, Settings settings)
    {
        if (settings.ServiceBus is not { } connection) return;
        CheckConnectionString("ServiceBus", connection, Azure.Messaging.ServiceBus.ServiceBusConnectionStringProperties.Parse);
        services.AddSingleton(new ServiceBusOptions
        {
            ConnectionString = connection.ConnectionString,
            FullyQualifiedNamespace = connection.Address,
            Credential = CredentialOf(connection),
            Topic = settings.Topic,
            Source = settings.Source,
            PublicUrl = settings.PublicUrl,
            PayloadsKeptFor = settings.Retention.EventsAtLeast,
        });
        services.AddSingleton<ServiceBusTarget>();
        services.AddSingleton(provider => new Forwarder(ServiceBusForwarder, provider.GetRequiredService<ServiceBusTarget>())
        {
            StartAt = settings.StartAt,
            Within = settings.Within,
            RefusalsInARow = settings.RefusalsInARow,
        });
    }

    // The example's local handler: a forwarder like any other, whose target is code of this app.
    private static void AddRefunds(IServiceCollection services, Settings settings)
    {
        if (settings.PaymentsUrl is not { } payments) return;
        // One client for the life of the app; its connections are not, so that a moved name is noticed.
        services.AddSingleton(new RefundHandler(new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
        {
            BaseAddress = new Uri($"{payments.ToString().TrimEnd('/')}/"),
        }));
        services.AddSingleton(provider => new Forwarder(
            "refunds",
            new HandlerTarget<OrderCancelled>(
                provider.GetRequiredService<RefundHandler>(),
                OrdersJson.Default.OrderCancelled,
                new HandlerOptions(),
                provider.GetRequiredService<TimeProvider>()))
        {
            StartAt = settings.StartAt,
            Within = RefundHandler.Within,
            RefusalsInARow = settings.RefusalsInARow,
        });
    }

    private static SettingsProblems Problems(Settings settings) => new(settings.Schedule is null
        ? [$"{Settings.ScheduleName} is missing: a six-field NCRONTAB expression is needed, or the timer never runs."]
        : []);

    internal static Uri? ServiceUri(Connection connection)
    {
        if (connection.Address is not { } address) return null;
        return Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme == "https"
            ? uri
            : throw new InvalidSettingException("TableStorage__serviceUri", address, "an https URL such as https://ACCOUNT.table.core.windows.net");
    }

    // At start, in one line. The text holds a key, and so may what the client library says about it: neither is shown.
    internal static void CheckConnectionString(string name, Connection connection, Func<string, object> parse)
    {
        if (connection.ConnectionString is not { } text) return;
        try
        {
            parse(text);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidSettingException($"{name}: this is no connection string (it is not shown, it may hold a key); copy it again, or set {name}__… for managed identity.");
        }
    }

    private static TokenCredential? CredentialOf(Connection connection) =>
        connection.Address is null ? null : Credential(connection.ClientId);

    internal static TokenCredential Credential(string? clientId) => clientId is null
        ? new DefaultAzureCredential()
        : new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId));
}

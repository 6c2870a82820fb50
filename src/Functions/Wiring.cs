using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Outpost.Forwarding;
using Outpost.Http;
using Outpost.ServiceBus;
using Outpost.Tables;

namespace Outpost.Functions;

/// <summary>The one place where the app is put together; called by the Functions app and by LocalHost.</summary>
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
        services.AddSingleton(new Sources(TimeProvider.System, Guid.NewGuid, Random.Shared.NextDouble));
        services.AddSingleton(provider => provider.GetRequiredService<Sources>().Time);
        services.AddSingleton(Problems(settings));
        AddLog(services, settings);
        AddForwarders(services, settings);
        services.AddSingleton(new EventApiOptions(settings.FinalMaxAge));
        services.AddSingleton<EventApi>();
        services.AddSingleton<PartitionApi>();
        services.AddSingleton<HealthApi>();
        services.AddSingleton<OrderApi>();
        services.AddSingleton<FaultBoundary>();
        services.AddHostedService<StartupCheck>();
    }

    private static void AddLog(IServiceCollection services, Settings settings)
    {
        services.AddSingleton(new TableStorageOptions
        {
            ConnectionString = settings.TableStorage.ConnectionString,
            ServiceUri = ServiceUri(settings.TableStorage),
            Credential = CredentialOf(settings.TableStorage),
            TableName = settings.TableName,
            Partitions = settings.PartitionCount,
        });
        services.AddSingleton<StoreClock>();
        services.AddSingleton<IEventStore, TableEventStore>();
        services.AddSingleton<EventLog>();
    }

    private static void AddForwarders(IServiceCollection services, Settings settings)
    {
        if (settings.ServiceBus is not { } connection) return;
        services.AddSingleton(new ServiceBusOptions
        {
            ConnectionString = connection.ConnectionString,
            FullyQualifiedNamespace = connection.Address,
            Credential = CredentialOf(connection),
            Topic = settings.Topic,
            Source = settings.Source,
            PublicUrl = settings.PublicUrl,
        });
        services.AddSingleton<ServiceBusTarget>();
        services.AddSingleton(provider => new Forwarder(
            provider.GetRequiredService<IEventStore>(),
            provider.GetRequiredService<ServiceBusTarget>(),
            new ForwarderOptions
            {
                Name = ServiceBusForwarder,
                Owner = $"{Environment.MachineName}-{Environment.ProcessId}-{provider.GetRequiredService<Sources>().NewId():N}"[..^20],
                StartAt = settings.StartAt,
                Linger = settings.Linger,
                Poll = settings.Poll,
                Within = settings.Within,
            },
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Forwarder>>()));
    }

    private static SettingsProblems Problems(Settings settings) => new(settings.Schedule is null
        ? ["Forwarder__Schedule is missing: a six-field NCRONTAB expression is needed, or the timer never runs."]
        : []);

    private static Uri? ServiceUri(Connection connection)
    {
        if (connection.Address is not { } address) return null;
        return Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"
            ? uri
            : throw new InvalidSettingException("TableStorage__serviceUri", address, "an absolute URL such as https://ACCOUNT.table.core.windows.net");
    }

    private static TokenCredential? CredentialOf(Connection connection)
    {
        if (connection.Address is null) return null;
        return connection.ClientId is { } clientId
            ? new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId))
            : new DefaultAzureCredential();
    }
}

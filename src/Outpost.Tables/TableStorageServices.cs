using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.Tables;

namespace Outpost;

/// <summary>Keeps the log in Azure Table Storage.</summary>
public static class TableStorageServices
{
    /// <summary>
    /// Keeps the log in a table of Azure Table Storage. The settings <c>TableStorage</c>, <c>Outpost__TableName</c> and
    /// <c>Outpost__PartitionCount</c> describe the table.
    /// </summary>
    /// <param name="outpost">What <c>AddOutpostLog</c> returned.</param>
    /// <param name="configure">Changes the options; it wins over the settings.</param>
    public static OutpostBuilder AddTableStorage(this OutpostBuilder outpost, Action<TableStorageOptions>? configure = null)
    {
        var services = outpost.Services;
        var options = services.AddOptions<TableStorageOptions>()
            .Configure<IServiceProvider>((read, provider) =>
            {
                if (provider.GetService<IConfiguration>() is { } configuration) read.Read(configuration);
            })
            .ValidateOnStart();
        if (configure is not null) options.Configure(configure);
        services.AddSingleton<IValidateOptions<TableStorageOptions>, Check>();
        services.AddSingleton<StoreClock>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<TableStorageOptions>>().Value.CreateClient(
            provider.GetRequiredService<StoreClock>(), provider.GetRequiredService<OutpostMetrics>()));
        services.AddSingleton<IEventStore>(provider => new TableEventStore(
            provider.GetRequiredService<TableClient>(),
            provider.GetRequiredService<IOptions<TableStorageOptions>>().Value.Partitions,
            provider.GetRequiredService<StoreClock>(),
            provider.GetRequiredService<Sources>(),
            provider.GetRequiredService<ILogger<TableEventStore>>(),
            provider.GetRequiredService<OutpostMetrics>(),
            provider.GetRequiredService<StoreProblems>()));
        services.AddSingleton<IForwardingStore>(provider => new TableForwardingStore(
            provider.GetRequiredService<TableClient>(), provider.GetRequiredService<Sources>(), provider.GetRequiredService<StoreProblems>()));
        services.AddSingleton<IHeartbeatStore>(provider => new TableHeartbeatStore(
            provider.GetRequiredService<TableClient>(), provider.GetRequiredService<Sources>(), provider.GetRequiredService<StoreProblems>()));
        services.AddSingleton<IHistoryStore>(provider => new TableHistoryStore(
            provider.GetRequiredService<TableClient>(), provider.GetRequiredService<Sources>(), provider.GetRequiredService<StoreProblems>()));
        services.AddSingleton<IRetentionStore, TableRetentionStore>();
        return outpost;
    }

    private sealed class Check : IValidateOptions<TableStorageOptions>
    {
        public ValidateOptionsResult Validate(string? name, TableStorageOptions options) =>
            options.Problems().ToList() is { Count: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}

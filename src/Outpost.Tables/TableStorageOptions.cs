using Azure.Core;
using Azure.Data.Tables;

namespace Outpost.Tables;

/// <summary>Which table holds the log.</summary>
public sealed record TableStorageOptions
{
    /// <summary>Connection string; or else <see cref="ServiceUri"/> and <see cref="Credential"/>.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Table endpoint of the account, used with <see cref="Credential"/>.</summary>
    public Uri? ServiceUri { get; init; }

    /// <summary>Managed identity or another token credential.</summary>
    public TokenCredential? Credential { get; init; }

    /// <summary>3 to 63 letters and digits, the first a letter. Default <c>outpost</c>.</summary>
    public string TableName { get; init; } = "outpost";

    /// <summary>1 to <see cref="Limits.PartitionsMax"/>; fixed when the log is created. Default 1.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>A client for the table, whose answers keep <paramref name="clock"/> right and whose requests are counted.</summary>
    public TableClient CreateClient(StoreClock clock, OutpostMetrics metrics) =>
        CreateClient(clock, options => options.AddPolicy(new RequestMetrics(metrics), HttpPipelinePosition.PerRetry));

    /// <summary>A client for the table, whose answers keep <paramref name="clock"/> right.</summary>
    /// <param name="clock">Sees every answer.</param>
    /// <param name="configure">Last word on the client's options, for what a host or a test adds.</param>
    public TableClient CreateClient(StoreClock clock, Action<TableClientOptions>? configure = null)
    {
        var options = new TableClientOptions();
        // A transaction is small and the service answers in milliseconds or not at all; what is unclear after these
        // tries the writer finds out by reading. A try that gets no answer leaves time for a second one, see Limits.StoreCallMax.
        options.Retry.NetworkTimeout = TimeSpan.FromSeconds(4);
        options.Retry.Delay = TimeSpan.FromMilliseconds(100);
        options.Retry.MaxDelay = TimeSpan.FromSeconds(2);
        options.Retry.MaxRetries = 2;
        options.AddPolicy(clock, HttpPipelinePosition.PerRetry);
        options.AddPolicy(new StoreAnswers(), HttpPipelinePosition.PerRetry);
        options.AddPolicy(new AnswerLimit(), HttpPipelinePosition.BeforeTransport);
        configure?.Invoke(options);
        options.RetryPolicy ??= new StoreTries(options.Retry, clock.Time);
        return ConnectionString is not null
            ? new TableClient(ConnectionString, TableName, options)
            : new TableClient(ServiceUri!, TableName, Credential!, options);
    }
}

using Azure.Core;
using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;

namespace Outpost.Tables;

/// <summary>Which table holds the log.</summary>
public sealed class TableStorageOptions
{
    /// <summary>Connection string; or else <see cref="ServiceUri"/> and <see cref="Credential"/>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Table endpoint of the account, used with <see cref="Credential"/>.</summary>
    public Uri? ServiceUri { get; set; }

    /// <summary>Managed identity or another token credential.</summary>
    public TokenCredential? Credential { get; set; }

    /// <summary>3 to 63 letters and digits, the first a letter. Default <c>outpost</c>.</summary>
    public string TableName { get; set; } = "outpost";

    /// <summary>1 to <see cref="Limits.PartitionsMax"/>; that of the log, which grows by <c>outpost grow</c>. Default 1.</summary>
    public int Partitions { get; set; } = 1;

    /// <summary>Takes what the settings say.</summary>
    /// <exception cref="InvalidSettingException">One has a value that is not allowed.</exception>
    internal void Read(IConfiguration configuration)
    {
        var read = new SettingReader(configuration);
        var connection = read.Connection("TableStorage", "serviceUri", text => _ = new TableServiceClient(text));
        ConnectionString = connection?.ConnectionString;
        ServiceUri = UriOf(connection?.Address);
        Credential = ServiceUri is null ? null : AzureIdentity.Of(connection!.ClientId);
        TableName = read.Text("Outpost__TableName", "outpost", NameAllowed, IsName);
        Partitions = read.Number("Outpost__PartitionCount", 1, 1, Limits.PartitionsMax);
    }

    /// <summary>What is wrong; empty: nothing.</summary>
    internal IEnumerable<string> Problems()
    {
        if (ConnectionString is null && (ServiceUri is null || Credential is null))
            yield return "TableStorage: is missing; a connection string is needed, or TableStorage__serviceUri for managed identity.";
        if (!IsName(TableName)) yield return $"{nameof(TableName)}: '{TableName}' is not allowed; {NameAllowed} are.";
        if (Partitions is < 1 or > Limits.PartitionsMax) yield return $"{nameof(Partitions)}: {Partitions} is not allowed; 1 to {Limits.PartitionsMax} are.";
    }

    private const string NameAllowed = "3 to 63 letters and digits, the first a letter";

    private static bool IsName(string name) => name.Length is >= 3 and <= 63 && char.IsAsciiLetter(name[0]) && name.All(char.IsAsciiLetterOrDigit);

    private static Uri? UriOf(string? address) => address switch
    {
        null => null,
        _ when Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme == "https" => uri,
        _ => throw new InvalidSettingException("TableStorage__serviceUri", address, "an https URL such as https://ACCOUNT.table.core.windows.net"),
    };

    /// <summary>A client for the table, whose answers keep <paramref name="clock"/> right and whose requests are counted.</summary>
    internal TableClient CreateClient(StoreClock clock, OutpostMetrics metrics) =>
        CreateClient(clock, options => options.AddPolicy(new RequestMetrics(metrics), HttpPipelinePosition.PerRetry));

    /// <summary>A client for the table, whose answers keep <paramref name="clock"/> right.</summary>
    /// <param name="clock">Sees every answer.</param>
    /// <param name="configure">Last word on the client's options, for what a host or a test adds.</param>
    internal TableClient CreateClient(StoreClock clock, Action<TableClientOptions>? configure = null)
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

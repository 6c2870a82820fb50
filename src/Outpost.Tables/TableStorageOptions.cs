using Azure.Core;
using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;

namespace Outpost.Tables;

/// <summary>Options for the table that holds the log. Each defaults to its setting.</summary>
public sealed class TableStorageOptions
{
    /// <summary>Connection string of the storage account. If it is null, set <see cref="ServiceUri"/> and <see cref="Credential"/>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Table endpoint of the storage account, used with <see cref="Credential"/>.</summary>
    public Uri? ServiceUri { get; set; }

    /// <summary>Managed identity or another token credential, used with <see cref="ServiceUri"/>.</summary>
    public TokenCredential? Credential { get; set; }

    /// <summary>Name of the table: 3 to 63 letters and digits, the first a letter. Default <c>outpost</c>.</summary>
    public string TableName { get; set; } = "outpost";

    /// <summary>
    /// Number of partitions, 1 to <see cref="Limits.PartitionsMax"/>. It must equal that of the log in the table, which only
    /// <c>outpost grow</c> raises. Default 1.
    /// </summary>
    public int Partitions { get; set; } = 1;

    /// <summary>Takes the values of the settings.</summary>
    /// <exception cref="InvalidSettingException">A setting has a value that is not allowed.</exception>
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

    /// <summary>What is wrong with the options, in words; empty if nothing is.</summary>
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

    /// <summary>A client for the table. Its answers keep <paramref name="clock"/> right, and its requests are counted.</summary>
    internal TableClient CreateClient(StoreClock clock, OutpostMetrics metrics) =>
        CreateClient(clock, options => options.AddPolicy(new RequestMetrics(metrics), HttpPipelinePosition.PerRetry));

    /// <summary>A client for the table. Its answers keep <paramref name="clock"/> right.</summary>
    /// <param name="clock">Sees every answer.</param>
    /// <param name="configure">Has the last word on the client's options, for a host or a test.</param>
    internal TableClient CreateClient(StoreClock clock, Action<TableClientOptions>? configure = null)
    {
        var options = new TableClientOptions();
        // A transaction is small, and the service answers in milliseconds or not at all. If the outcome is unclear after these tries,
        // the writer reads the table to find it out. A try without an answer leaves time for a second one, see Limits.StoreCallMax.
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

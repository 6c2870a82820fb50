using Azure.Core;

namespace Azure.Data.Tables;

/// <summary>Retries, timeouts, transport and policies as in every Azure.Core client, plus what tables need.</summary>
public class TableClientOptions : ClientOptions
{
    public TableClientOptions(ServiceVersion serviceVersion = ServiceVersion.V2020_12_06) =>
        VersionText = serviceVersion switch
        {
            ServiceVersion.V2019_02_02 => "2019-02-02",
            ServiceVersion.V2020_12_06 => "2020-12-06",
            _ => throw new NotSupportedException(),
        };

    public enum ServiceVersion
    {
        V2019_02_02 = 1,
        V2020_12_06 = 2,
    }

    /// <summary>Default: the public cloud's storage audience.</summary>
    public TableAudience? Audience { get; set; }

    /// <summary>Accepted and ignored here: tokens are asked for in the credential's own tenant.</summary>
    public bool EnableTenantDiscovery { get; set; }

    internal string VersionText { get; }
}

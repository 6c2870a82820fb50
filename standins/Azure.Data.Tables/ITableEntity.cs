#nullable disable annotations // like the real surface

namespace Azure.Data.Tables;

/// <summary>What every row has. <c>Timestamp</c> and <c>ETag</c> are set by the service and never sent.</summary>
public interface ITableEntity
{
    string PartitionKey { get; set; }

    string RowKey { get; set; }

    DateTimeOffset? Timestamp { get; set; }

    ETag ETag { get; set; }
}

#nullable disable annotations // like the real surface

using System.Globalization;
using Azure.Data.Tables.Internal;

namespace Azure.Data.Tables;

/// <summary>
/// A transaction the service refused. Trap: rebuilt from another exception, it has no raw response
/// (<c>GetRawResponse()</c> is null); status, code and index are all there is.
/// </summary>
public class TableTransactionFailedException : RequestFailedException
{
    public TableTransactionFailedException(RequestFailedException requestFailedException)
        : base(
            requestFailedException.Status,
            requestFailedException.Message,
            requestFailedException.ErrorCode,
            requestFailedException.InnerException)
    {
        foreach (var key in requestFailedException.Data.Keys)
            Data[key] = requestFailedException.Data[key];

        if (Data[OdataErrorParser.FailedEntity] is string text &&
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            FailedTransactionActionIndex = index;
    }

    /// <summary>Position of the refused action in the submitted list; null when the service named none.</summary>
    public int? FailedTransactionActionIndex { get; }
}

using System.Globalization;
using System.Text.Json;
using Azure.Core;

namespace Azure.Data.Tables.Internal;

/// <summary>
/// Reads <c>{"odata.error":{"code":…,"message":{"value":…}}}</c>. Where the message begins with a number and a colon,
/// as for a refused transaction, the number becomes the exception's <c>Data["FailedEntity"]</c>.
/// </summary>
internal sealed class OdataErrorParser : RequestFailedDetailsParser
{
    public const string FailedEntity = "FailedEntity";

    public static readonly OdataErrorParser Shared = new();

    public override bool TryParse(Response response, out ResponseError? error, out IDictionary<string, string>? data)
    {
        error = null;
        data = null;
        if (response.ContentStream is null)
            return false;
        try
        {
            using var document = JsonDocument.Parse(response.Content.ToMemory());
            if (!document.RootElement.TryGetProperty("odata.error", out var details))
                return false;
            var code = details.TryGetProperty("code", out var codeText) ? codeText.GetString() : null;
            var message = details.TryGetProperty("message", out var text) && text.TryGetProperty("value", out var value)
                ? value.GetString()
                : null;
            data = new Dictionary<string, string>();
            if (IndexIn(message) is { } index)
            {
                data[FailedEntity] = index.ToString(CultureInfo.InvariantCulture);
                message += "\n The index of the entity that caused the error can be found in " +
                    $"{nameof(TableTransactionFailedException.FailedTransactionActionIndex)}.";
            }
            error = new ResponseError(code, message);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static int? IndexIn(string? message)
    {
        var colon = message?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        return colon > 0 && int.TryParse(message.AsSpan(0, colon), CultureInfo.InvariantCulture, out var index)
            ? index
            : null;
    }
}

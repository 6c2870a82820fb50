using System.Text.Json;

namespace Azure.Messaging.ServiceBus.Emulator;

/// <summary>The only reader of the emulator's answers: each becomes the exception the real client would throw.</summary>
internal static class EmulatorErrors
{
    public static Exception FromResponse(Response response, string entityPath)
    {
        var (code, message) = ReadError(response);
        return (response.Status, code) switch
        {
            (401, _) or (_, "amqp:unauthorized-access" or "com.microsoft:auth-failed") =>
                new UnauthorizedAccessException(message),
            (_, "com.microsoft:entity-disabled") => Failure(ServiceBusFailureReason.MessagingEntityDisabled),
            (_, "amqp:resource-limit-exceeded") => Failure(ServiceBusFailureReason.QuotaExceeded),
            (413, _) or (_, "amqp:link:message-size-exceeded") => Failure(ServiceBusFailureReason.MessageSizeExceeded),
            (404 or 410, _) => Failure(ServiceBusFailureReason.MessagingEntityNotFound),
            (429 or 503, _) => Failure(ServiceBusFailureReason.ServiceBusy),
            (408 or 504, _) => Failure(ServiceBusFailureReason.ServiceTimeout),
            (400, "com.microsoft:argument-error") => new ArgumentException(message),
            (400, "com.microsoft:argument-out-of-range") => new ArgumentOutOfRangeException(null, message),
            (_, "amqp:not-allowed") => new InvalidOperationException(message),
            _ => new ServiceBusException(isTransient: response.Status >= 500, message, entityPath),
        };

        ServiceBusException Failure(ServiceBusFailureReason reason) => new(message, reason, entityPath);
    }

    /// <summary>Refused, reset or unreachable: the request may or may not have had its effect.</summary>
    public static ServiceBusException Communication(Exception exception, string entityPath) =>
        new(exception.Message, ServiceBusFailureReason.ServiceCommunicationProblem, entityPath, exception);

    public static ServiceBusException Timeout(TimeSpan tryTimeout, string entityPath, Exception exception) => new(
        $"The operation did not complete within the allocated time {tryTimeout}.",
        ServiceBusFailureReason.ServiceTimeout,
        entityPath,
        exception);

    private static (string Code, string Message) ReadError(Response response)
    {
        var fallback = $"The emulator answered {response.Status} {response.ReasonPhrase}.";
        try
        {
            using var document = JsonDocument.Parse(response.Content);
            var error = document.RootElement.GetProperty("error");
            return (error.GetProperty("code").GetString() ?? "", error.GetProperty("message").GetString() ?? fallback);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return ("", fallback);
        }
    }
}

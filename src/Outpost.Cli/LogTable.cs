using Azure;
using Azure.Data.Tables;
using Azure.Identity;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Dev;
using Outpost.Tables;
using Outpost.Tables.Copies;

namespace Outpost.Cli;

/// <summary>Opens a table that holds a log, or is going to.</summary>
internal static class LogTable
{
    public static readonly Sources Sources = new(TimeProvider.System, Guid.NewGuid, Random.Shared.NextDouble);

    /// <summary>Whether a text names an account rather than a file.</summary>
    public static bool IsAccount(string text) =>
        text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || text.Contains("UseDevelopmentStorage=", StringComparison.OrdinalIgnoreCase) || text.Contains("AccountName=", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="DevException">The text is no account, or the name is not allowed.</exception>
    public static TableClient Open(string account, string name)
    {
        var options = new TableStorageOptions { TableName = name };
        if (account.StartsWith("https://", StringComparison.OrdinalIgnoreCase) && Uri.TryCreate(account, UriKind.Absolute, out var uri))
            (options.ServiceUri, options.Credential) = (uri, new DefaultAzureCredential());
        else options.ConnectionString = account;
        if (options.Problems().FirstOrDefault() is { } problem) throw new DevException($"--name: {problem}");
        try
        {
            return options.CreateClient(new StoreClock(TimeProvider.System, NullLogger<StoreClock>.Instance));
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            // The text may hold a key, so the message leaves it out.
            throw new DevException("The account is neither a connection string of Table Storage nor an https address such as https://ACCOUNT.table.core.windows.net.");
        }
    }

    /// <summary>Runs work on a table. Each failure becomes one sentence.</summary>
    public static async Task<T> DoAsync<T>(string whenStopped, Func<Task<T>> work, CancellationToken stop)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            throw new DevException(whenStopped);
        }
        catch (Exception e) when (e is BackupException or DamagedRowException or StoreUnavailableException or IOException or UnauthorizedAccessException)
        {
            throw new DevException(e.Message);
        }
        catch (RequestFailedException e)
        {
            throw new DevException($"Table Storage refused: {e.Status} {e.ErrorCode}. Reading needs the role Storage Table Data Reader; a restore needs Storage Table Data Contributor.");
        }
        catch (AuthenticationFailedException e)
        {
            throw new DevException($"The account does not know your sign-in: {e.Message.Split('\n')[0]}");
        }
    }
}

using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

internal static class Transactions
{
    /// <summary>The new ETag of a transaction's first row.</summary>
    public static async Task<ETag> CommitAsync(
        this TableClient table, IReadOnlyCollection<TableTransactionAction> actions, CancellationToken cancellationToken) =>
        (await table.SubmitAsync(actions, cancellationToken))[0].Headers.ETag ?? throw StoreCalls.Unreadable();

    /// <summary>
    /// Sends a transaction, and returns the answer to each action. The client accepts an answer to other actions than it sent, and
    /// throws whatever its parsers throw. Here both mean that the answer is unreadable.
    /// </summary>
    public static async Task<IReadOnlyList<Response>> SubmitAsync(
        this TableClient table, IReadOnlyCollection<TableTransactionAction> actions, CancellationToken cancellationToken)
    {
        try
        {
            var answers = (await table.SubmitTransactionAsync(actions, cancellationToken)).Value;
            return answers.Count == actions.Count
                ? answers
                : throw new InvalidDataException($"{actions.Count} actions were sent, and {answers.Count} answered.");
        }
        catch (Exception e) when (TableErrors.IsUnreadable(e))
        {
            throw StoreCalls.Unreadable(e);
        }
    }
}

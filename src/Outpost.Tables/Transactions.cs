using Azure;
using Azure.Data.Tables;

namespace Outpost.Tables;

internal static class Transactions
{
    /// <summary>
    /// The new ETag of a transaction's first row. The client passes on an answer to other actions than were sent; here it
    /// is one that cannot be read.
    /// </summary>
    public static async Task<ETag> CommitAsync(
        this TableClient table, IReadOnlyCollection<TableTransactionAction> actions, CancellationToken cancellationToken)
    {
        var answers = (await table.SubmitTransactionAsync(actions, cancellationToken)).Value;
        return answers.Count == actions.Count && answers[0].Headers.ETag is { } tag
            ? tag
            : throw new InvalidDataException($"{actions.Count} actions were sent, and {answers.Count} answered.");
    }
}

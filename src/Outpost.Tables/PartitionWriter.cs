using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;

namespace Outpost.Tables;

/// <summary>
/// The one writer of a partition in this process. Keeps the head in memory, so that a commit costs no read, and puts
/// all changes that arrive while a transaction is under way into the next one (group commit).
/// </summary>
internal sealed partial class PartitionWriter : IAsyncDisposable
{
    private static readonly TimeSpan RecentRace = TimeSpan.FromSeconds(1);

    private readonly TableClient _table;
    private readonly string _partitionKey;
    private readonly Action<RowList> _committed;
    private readonly StoreClock _clock;
    private readonly Sources _sources;
    private readonly ILogger _logger;
    private readonly CommitOutcome _outcome;
    private readonly ChangeQueue _queue;
    private readonly Task _loop;
    private HeadRow? _head;
    private long _lostRaceAt;
    private bool _lostRace;

    public PartitionWriter(
        TableClient table, int partition, Action<RowList> committed, StoreClock clock, Sources sources, ILogger logger)
    {
        _table = table;
        _committed = committed;
        _partitionKey = Keys.Partition(partition);
        _clock = clock;
        _sources = sources;
        _logger = logger;
        _outcome = new CommitOutcome(table, _partitionKey);
        _queue = new ChangeQueue(sources.Time);
        _loop = Task.Run(RunAsync);
    }

    public async Task<CommitResult> CommitAsync(Change change, CancellationToken cancellationToken)
    {
        var pending = new PendingChange(change, _sources.Time.GetTimestamp(), cancellationToken);
        if (!_queue.TryAdd(pending)) return CommitResult.QueueFull;
        // The caller may leave; the change goes on where it was sent already.
        return await pending.Result.WaitAsync(cancellationToken);
    }

    /// <summary>Finishes what was accepted, and takes no more.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _loop;
    }

    private async Task RunAsync()
    {
        while (await _queue.WaitAsync())
        {
            var batch = _queue.NextBatch();
            if (batch.Changes.Count == 0) continue;
            try
            {
                await CommitBatchAsync(batch);
            }
            catch (Exception e)
            {
                // Nothing may end the writer: those who wait learn what happened, the next batch starts afresh.
                _head = null;
                var fault = TableErrors.IsTransient(e, CancellationToken.None)
                    ? new StoreUnavailableException("The store did not answer; nothing was written.", e)
                    : e;
                foreach (var pending in batch.Changes) pending.Fail(fault);
            }
        }
    }

    private async Task CommitBatchAsync(CommitBatch batch)
    {
        var head = _head ??= await _outcome.ReadHeadAsync(CancellationToken.None);
        var rows = batch.Build(_partitionKey, head, _sources.NewId().ToString("N"), _clock.Now);
        var start = _sources.Time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            Exception refusal;
            try
            {
                var answers = (await _table.SubmitTransactionAsync(rows.Actions)).Value;
                Committed(batch, rows, rows.After with { Tag = answers[0].Headers.ETag });
                await GiveOthersTheirTurnAsync(_sources.Time.GetElapsedTime(start));
                return;
            }
            catch (Exception e)
            {
                // No answer, a refusal, an answer that the client could not read: the transaction was sent.
                refusal = e;
            }

            // Whatever was answered, a repeat inside the pipeline may stand behind it: only the table knows.
            switch (await _outcome.FindAsync(rows, _sources, start))
            {
                case CommitOutcome.Found.Committed committed:
                    Committed(batch, rows, committed.Head);
                    return;

                case CommitOutcome.Found.Overtaken overtaken:
                    LostRace(overtaken.Head);
                    _queue.GoAgain(batch.Changes);
                    return;

                case CommitOutcome.Found.NotThere when TableErrors.IsRefusal(refusal):
                    Refused(batch, rows, refusal);
                    return;

                case CommitOutcome.Found.NotThere when _sources.Time.GetElapsedTime(start) < Limits.OutcomeWaitMax:
                    LogResend(_partitionKey, rows.CommitId, attempt, refusal.Message);
                    await BackOffAsync(attempt);
                    break; // The same list again: should the first one land late, the second cannot.

                default:
                    _head = null;
                    foreach (var pending in batch.Changes) pending.Complete(CommitResult.Unknown);
                    return;
            }
        }
    }

    private void Committed(CommitBatch batch, RowList rows, HeadRow? head)
    {
        _head = head;
        _committed(rows);
        foreach (var pending in batch.Changes)
        {
            _queue.Remember(pending);
            pending.Complete(CommitResult.Committed);
        }
    }

    // The head is as it was, so the transaction was refused by a row of one command. That refusal stands for ever (a
    // version that moved on does not come back), so no earlier attempt at the same list can land either, and the
    // others may go again in another list.
    private void Refused(CommitBatch batch, RowList rows, Exception refusal)
    {
        var index = (refusal as TableTransactionFailedException)?.FailedTransactionActionIndex ?? 0;
        var owner = index < rows.Owners.Count ? rows.Owners[index] : null;
        if (owner is null)
        {
            foreach (var pending in batch.Changes) pending.Fail(refusal);
            return;
        }

        var conditional = rows.IsEntity(index) || rows.IsReceipt(index);
        if (conditional && refusal is RequestFailedException e && (TableErrors.IsConflict(e) || TableErrors.IsChangedOrGone(e)))
            owner.Complete(rows.IsEntity(index) ? CommitResult.EntityChanged : CommitResult.DoneBefore);
        else
            owner.Fail(refusal);
        _queue.GoAgain([.. batch.Changes.Where(p => p != owner)]);
    }

    private void LostRace(HeadRow? head)
    {
        _head = head;
        _lostRaceAt = _sources.Time.GetTimestamp();
        _lostRace = true;
    }

    // Another process writes here too: whoever just won waits about one round trip, so that nobody starves.
    private async Task GiveOthersTheirTurnAsync(TimeSpan roundTrip)
    {
        if (!_lostRace) return;
        _lostRace = _sources.Time.GetElapsedTime(_lostRaceAt) < RecentRace;
        if (_lostRace) await Task.Delay(roundTrip * (0.5 + _sources.NextRandom()), _sources.Time);
    }

    private Task BackOffAsync(int attempt)
    {
        var ceiling = Math.Min(2000, 50 * Math.Pow(2, attempt));
        return Task.Delay(TimeSpan.FromMilliseconds(ceiling * (0.5 + (_sources.NextRandom() / 2))), _sources.Time);
    }

    [LoggerMessage(11, LogLevel.Warning,
        "Partition {Partition}: commit {CommitId} is not in the table after attempt {Attempt}; sending it again: {Reason}")]
    private partial void LogResend(string partition, string commitId, int attempt, string reason);
}

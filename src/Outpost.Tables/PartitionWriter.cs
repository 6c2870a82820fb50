using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;

namespace Outpost.Tables;

/// <summary>
/// The one writer of a partition in this process. It keeps the head in memory, so a commit needs no read. Changes that arrive while a
/// transaction is under way go into the next one together (group commit).
/// </summary>
internal sealed partial class PartitionWriter : IAsyncDisposable
{
    // The longest wait before a commit with an unclear outcome is sent again.
    private static readonly TimeSpan BackOffMax = TimeSpan.FromSeconds(2);

    // A host gives its apps some 30 seconds before it kills them. What is not answered by then has an unknown outcome.
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(5);

    private readonly StoreCalls _calls;
    private readonly int _partition;
    private readonly string _partitionKey;
    private readonly Action<RowList> _committed;
    private readonly StoreClock _clock;
    private readonly Sources _sources;
    private readonly ILogger _logger;
    private readonly OutpostMetrics? _metrics;
    private readonly CommitOutcome _outcome;
    private readonly ChangeQueue _queue;
    private readonly Task _loop;
    private readonly CancellationTokenSource _stop = new();
    private readonly WriterTurns _turns;
    private readonly WriterPlaces _places;

    // Lists of rows for the present head that were refused because of a receipt. An earlier attempt at such a list may still be under
    // way. It can commit after all if retention deletes the receipt.
    private readonly List<(CommitBatch Batch, RowList Rows)> _refused = [];
    private HeadRow? _head;
    private long _seen;

    public PartitionWriter(
        StoreCalls calls, int partition, Action<RowList> committed, StoreClock clock, Sources sources, ILogger logger,
        OutpostMetrics? metrics)
    {
        _calls = calls;
        _committed = committed;
        _partition = partition;
        _partitionKey = Keys.Partition(partition);
        _clock = clock;
        _sources = sources;
        _logger = logger;
        _metrics = metrics;
        _outcome = new CommitOutcome(calls, _partitionKey, sources.Time);
        _queue = new ChangeQueue(sources.Time);
        _turns = new WriterTurns(sources, clock);
        _places = new WriterPlaces(calls, partition, clock);
        // In a host the current scheduler is the thread pool's. A simulation has one with an order of its own.
        _loop = Task.Factory.StartNew(
            RunAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Current).Unwrap();
    }

    public async Task<CommitResult> CommitAsync(Change change, CancellationToken cancellationToken)
    {
        var pending = new PendingChange(change, _sources.Time.GetTimestamp(), cancellationToken);
        if (!_queue.TryAdd(pending)) return CommitResult.QueueFull;
        // The caller may leave. A change that was already sent goes on.
        using var leaving = cancellationToken.UnsafeRegister(static left => ((PendingChange)left!).Leave(), pending);
        await using var waited = _sources.Time.CreateTimer(
            static left => ((PendingChange)left!).LeaveQueue(), pending, Limits.QueueWaitMax, Timeout.InfiniteTimeSpan);
        return await pending.Result;
    }

    /// <summary>
    /// Finishes what was accepted, and takes no more. Changes that still wait after five seconds are refused. Those that were sent by
    /// then have an unknown outcome.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await using (_sources.Time.CreateTimer(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop, StopMax, Timeout.InfiniteTimeSpan))
        {
            await EndOfLoopAsync();
        }

        _queue.Clear();

        // Awaiting the task itself would continue on the thread that completes it.
        async Task EndOfLoopAsync() => await _loop;
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested && await _queue.WaitAsync())
        {
            await TakeTurnAsync();
            var batch = _queue.NextBatch(_turns.ChangesMax);
            if (batch.Changes.Count == 0) continue;
            try
            {
                await CommitBatchAsync(batch);
            }
            catch (Exception e)
            {
                // Nothing may end the writer. The waiting callers learn what happened, and the next batch reads the head again.
                _head = null;
                var fault = TableErrors.IsTransient(e, CancellationToken.None) && !TableErrors.IsHopeless(e)
                    ? new StoreUnavailableException("The store did not answer; nothing was written.", e)
                    : e;
                foreach (var pending in batch.Changes) pending.Fail(fault);
            }
        }
    }

    private async Task CommitBatchAsync(CommitBatch batch)
    {
        // Times in a partition never decrease, so a wrong late time in the head would stay in all later entries. The row also has the
        // store's own time, and reading it again corrects the head.
        if (_head is { } old && old.At - _clock.Now > StoreClock.FarOff) _head = null;
        var head = _head ?? await ReadHeadAsync();
        if (head.Tag is not null && batch.Generation > head.Generation) head = await ReadHeadAsync();
        if (head.Tag is not null && batch.Generation > head.Generation)
        {
            throw _calls.Found(new DamagedRowException(
                _partitionKey, Keys.Head, "Generation", $"is {head.Generation}, and that of the layout is {batch.Generation}"));
        }

        if (batch.OlderThan(head) is { Count: > 0 } older)
        {
            foreach (var pending in older) pending.Complete(CommitResult.LogGrown);
            _queue.GoAgain([.. batch.Changes.Except(older)]);
            return;
        }

        var (commitId, line) = _turns.NextCommit(batch.Changes.Count);
        var rows = batch.Build(_partitionKey, head, commitId, _clock.Now, line);
        var start = _sources.Time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            Exception refusal;
            try
            {
                var tag = await _calls.ReachAsync(end => _calls.Table.CommitAsync(rows.Actions, end), _stop.Token, tellsRefusals: true);
                var took = _sources.Time.GetElapsedTime(start);
                _turns.Measured(took);
                Committed(batch, rows, rows.After with { Tag = tag }, took);
                return;
            }
            catch (Exception e)
            {
                // There was no answer, a refusal, or an answer that the client could not read. In each case the transaction was sent.
                refusal = e;
            }

            // The client may have repeated the request by itself, and the answer may be about the repeat. Only the table tells.
            switch (await _outcome.FindAsync(rows, _sources, start, _stop.Token))
            {
                case CommitOutcome.Found.Committed committed:
                    Committed(batch, rows, committed.Head, _sources.Time.GetElapsedTime(start));
                    return;

                case CommitOutcome.Found.Overtaken { Head: null } overtaken when (await ReadHeadAsync()).Tag == rows.Before.Tag:
                    // Head and entries are written together, and the head did not change. So a row beyond the head is damage.
                    throw Beyond(rows, rows.Before.Next);

                case CommitOutcome.Found.Overtaken overtaken:
                    Overtaken(overtaken, start);
                    _queue.GoAgain(batch.Changes);
                    return;

                case CommitOutcome.Found.Fenced fenced:
                    _head = fenced.Head;
                    _refused.Clear();
                    _queue.GoAgain(batch.Changes);
                    return;

                // A 403 says nothing about an earlier attempt, which may have been allowed.
                case CommitOutcome.Found.NotThere when TableErrors.IsRefusal(refusal) && (attempt == 1 || !TableErrors.IsForbidden(refusal)):
                    Refused(batch, rows, refusal);
                    return;

                case CommitOutcome.Found.NotThere when !_stop.IsCancellationRequested && _sources.Time.GetElapsedTime(start) < Limits.OutcomeWaitMax:
                    LogResend(_partitionKey, rows.CommitId, attempt, refusal.Message);
                    await BackOffAsync(attempt);
                    break; // The same list again: if the first attempt commits late, the second one cannot.

                default:
                    _head = null;
                    foreach (var pending in batch.Changes) pending.Complete(CommitResult.Unknown);
                    return;
            }
        }
    }

    private void Overtaken(CommitOutcome.Found.Overtaken overtaken, long start)
    {
        _head = overtaken.Head;
        if (_refused.Find(list => list.Rows.CommitId == overtaken.Commit) is { Rows: { } rows } landed)
        {
            Committed(landed.Batch, rows, overtaken.Head, _sources.Time.GetElapsedTime(start));
            return;
        }

        _refused.Clear();
        _metrics?.RaceLost(_partition);
        _turns.Lost(overtaken.Head);
    }

    private void Committed(CommitBatch batch, RowList rows, HeadRow? head, TimeSpan took)
    {
        _refused.Clear();
        _seen = rows.After.Next;
        _metrics?.Committed(_partition, took);
        _head = head;
        if (_turns.Won(rows.CommitId, rows.After.Line) is { Count: > 0 } needless) _ = _places.DeleteAsync(needless, _stop.Token);
        _committed(rows);
        foreach (var pending in batch.Changes)
        {
            _queue.Remember(pending);
            pending.Complete(CommitResult.Committed);
        }
    }

    // The head did not change, so a row of one command is the cause of the refusal. If it is an entity, no earlier attempt at the same
    // list can commit later, because a version never comes back. The other commands may go into another list. If it is a receipt, an
    // earlier attempt can: see _refused.
    private void Refused(CommitBatch batch, RowList rows, Exception refusal)
    {
        var index = (refusal as TableTransactionFailedException)?.FailedTransactionActionIndex ?? 0;
        var owner = index < rows.Owners.Count ? rows.Owners[index] : null;
        if (TableErrors.IsForbidden(refusal)) refusal = StoreCalls.Unreadable(refusal);
        if (rows.EventAt(index) is { } offset && refusal is RequestFailedException there && TableErrors.IsConflict(there)) refusal = Beyond(rows, offset);
        if (owner is null || refusal is DamagedRowException)
        {
            foreach (var pending in batch.Changes) pending.Fail(refusal);
            return;
        }

        var conditional = rows.IsEntity(index) || rows.IsReceipt(index);
        if (conditional && refusal is RequestFailedException e && (TableErrors.IsConflict(e) || TableErrors.IsChangedOrGone(e)))
            owner.Complete(rows.IsEntity(index) ? CommitResult.EntityChanged : CommitResult.DoneBefore);
        else
            owner.Fail(refusal);
        if (rows.IsReceipt(index)) _refused.Add((batch, rows));
        _queue.GoAgain([.. batch.Changes.Where(p => p != owner)]);
    }

    // A copy of a table under load, or a head from an older backup, leaves such rows.
    private DamagedRowException Beyond(RowList rows, long offset) => _calls.Found(new DamagedRowException(
        _partitionKey, Keys.Event(offset), null, $"is beyond the head, which says that {rows.Before.Next} is the next to be written"));

    private Task BackOffAsync(int attempt)
    {
        var ceiling = Math.Min(BackOffMax.TotalMilliseconds, 50 * Math.Pow(2, attempt));
        return Task.Delay(TimeSpan.FromMilliseconds(ceiling * (0.5 + (_sources.NextRandom() / 2))), _sources.Time);
    }

    [LoggerMessage(11, LogLevel.Warning,
        "Partition {Partition}: commit {CommitId} is not in the table after attempt {Attempt}; sending it again: {Reason}")]
    private partial void LogResend(string partition, string commitId, int attempt, string reason);
}

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
    // A round of busy processes takes fewer looks at the head, and less time. A writer that had no turn by then commits at once.
    private const int LooksMax = 100;
    private static readonly TimeSpan LooksTimeMax = TimeSpan.FromSeconds(5);

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
        _turns = new WriterTurns(sources);
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

    // If other processes write here too, this waits for the writer's turn, and reads the head before the commit.
    private async Task TakeTurnAsync()
    {
        _turns.Begin();
        var start = _sources.Time.GetTimestamp();
        try
        {
            if (_turns.Pause() is { } pause) await Task.Delay(pause, _sources.Time, _stop.Token);
            for (var looks = 0; looks < LooksMax && _sources.Time.GetElapsedTime(start) < LooksTimeMax && _turns.Wait() is { } wait; looks++)
            {
                if (wait > TimeSpan.Zero) await Task.Delay(wait, _sources.Time, _stop.Token);
                _head = await ReadHeadAsync();
            }
        }
        catch (Exception)
        {
            // The commit reads the head again, and its callers learn what is wrong.
            _head = null;
        }
    }

    private async Task<HeadRow> ReadHeadAsync()
    {
        var start = _sources.Time.GetTimestamp();
        var head = await _outcome.ReadHeadAsync(_stop.Token);
        // Checked once in a process: with a head that is too high, offsets would be missing for ever.
        if (_seen == 0 && head.Next > 0) await _outcome.CheckAsync(head, _stop.Token);
        _turns.Measured(_sources.Time.GetElapsedTime(start));
        _turns.Saw(head);
        // The table was deleted and created again, restored, or failed over. New events would get offsets and ids that readers and the
        // broker know already.
        if (head.Next < _seen)
        {
            throw _calls.WentBack(
                _partitionKey,
                $"Table '{_calls.Table.Name}': the head of partition {_partitionKey} went back from {_seen} to {head.Next} while this process ran. "
                + "Nothing more is written to it before the app is started again; docs/restore.md says what else to do.");
        }

        _seen = head.Next;
        return head;
    }

    private async Task CommitBatchAsync(CommitBatch batch)
    {
        // Times in a partition never decrease, so a wrong late time in the head would stay in all later entries. The row also has the
        // store's own time, and reading it again corrects the head.
        if (_head is { } old && old.At - _clock.Now > StoreClock.FarOff) _head = null;
        var head = _head ??= await ReadHeadAsync();
        if (head.Tag is not null && batch.Generation > head.Generation) head = _head = await ReadHeadAsync();
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

        var rows = batch.Build(_partitionKey, head, _turns.NextCommitId(), _clock.Now);
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
        _turns.Won(rows.CommitId);
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

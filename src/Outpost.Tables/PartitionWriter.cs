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
    // More looks at the head, and longer, than a round of busy processes takes; whoever is not let in by then races.
    private const int LooksMax = 100;
    private static readonly TimeSpan LooksTimeMax = TimeSpan.FromSeconds(5);

    // A commit that is sent again after an unclear outcome waits between tries as long as that takes at a store in trouble.
    private static readonly TimeSpan BackOffMax = TimeSpan.FromSeconds(2);

    // What was accepted is done by then, or nobody can tell: a host gives its apps some 30 seconds, and kills them.
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

    // Lists on the present head that a receipt refused: retention may delete the receipt, and an earlier attempt at the
    // list, still on its way, land after all.
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
        // In a host the current scheduler is the thread pool's; a simulation brings one that keeps its own order.
        _loop = Task.Factory.StartNew(
            RunAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Current).Unwrap();
    }

    public async Task<CommitResult> CommitAsync(Change change, CancellationToken cancellationToken)
    {
        var pending = new PendingChange(change, _sources.Time.GetTimestamp(), cancellationToken);
        if (!_queue.TryAdd(pending)) return CommitResult.QueueFull;
        // The caller may leave; the change goes on where it was sent already.
        using var leaving = cancellationToken.UnsafeRegister(static left => ((PendingChange)left!).Leave(), pending);
        await using var waited = _sources.Time.CreateTimer(
            static left => ((PendingChange)left!).LeaveQueue(), pending, Limits.QueueWaitMax, Timeout.InfiniteTimeSpan);
        return await pending.Result;
    }

    /// <summary>
    /// Finishes what was accepted, and takes no more. What is not done soon is given up: what waits is refused, and of what
    /// was sent nobody knows.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await using (_sources.Time.CreateTimer(static stop => ((CancellationTokenSource)stop!).Cancel(), _stop, StopMax, Timeout.InfiniteTimeSpan))
        {
            await EndOfLoopAsync();
        }

        _queue.Clear();

        // Waiting for the task itself would go on wherever it was completed.
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
                // Nothing may end the writer: those who wait learn what happened, the next batch starts afresh.
                _head = null;
                var fault = TableErrors.IsTransient(e, CancellationToken.None) && !TableErrors.IsHopeless(e)
                    ? new StoreUnavailableException("The store did not answer; nothing was written.", e)
                    : e;
                foreach (var pending in batch.Changes) pending.Fail(fault);
            }
        }
    }

    // Where other processes write here too: waits until it is this one's turn, and reads the head before it goes.
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
            // The commit reads the head again, and its callers hear what is wrong.
            _head = null;
        }
    }

    private async Task<HeadRow> ReadHeadAsync()
    {
        var start = _sources.Time.GetTimestamp();
        var head = await _outcome.ReadHeadAsync(_stop.Token);
        // Once: a head that is too high would leave a hole for ever, and be believed.
        if (_seen == 0 && head.Next > 0) await _outcome.CheckAsync(head, _stop.Token);
        _turns.Measured(_sources.Time.GetElapsedTime(start));
        _turns.Saw(head);
        // Deleted and created again, restored, failed over: its offsets would be given a second time, under the ids that readers
        // and the broker know already.
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
        // A time that was wrong, which this process gave the head, would hold all later ones. The table has the store's own
        // beside it.
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
                // No answer, a refusal, an answer that the client could not read: the transaction was sent.
                refusal = e;
            }

            // Whatever was answered, a repeat inside the pipeline may stand behind it: only the table knows.
            switch (await _outcome.FindAsync(rows, _sources, start, _stop.Token))
            {
                case CommitOutcome.Found.Committed committed:
                    Committed(batch, rows, committed.Head, _sources.Time.GetElapsedTime(start));
                    return;

                case CommitOutcome.Found.Overtaken { Head: null } overtaken when (await ReadHeadAsync()).Tag == rows.Before.Tag:
                    // Both are written together, and the head is as it was.
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

                // Not allowed any more, after an attempt that may have been allowed, says nothing about that one.
                case CommitOutcome.Found.NotThere when TableErrors.IsRefusal(refusal) && (attempt == 1 || !TableErrors.IsForbidden(refusal)):
                    Refused(batch, rows, refusal);
                    return;

                case CommitOutcome.Found.NotThere when !_stop.IsCancellationRequested && _sources.Time.GetElapsedTime(start) < Limits.OutcomeWaitMax:
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

    // The head is as it was, so the transaction was refused by a row of one command. An entity's refusal stands for ever (a
    // version that moved on does not come back), so no earlier attempt at the same list can land either, and the
    // others may go again in another list. A receipt's may not: see _refused.
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

    // What copying a table under load, or a head of an older backup, leaves.
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

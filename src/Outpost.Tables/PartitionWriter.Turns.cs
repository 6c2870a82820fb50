namespace Outpost.Tables;

// How the writer waits for its turn, and reads the head.
internal sealed partial class PartitionWriter
{
    // More steps than a turn takes, and longer. A writer that had no turn by then commits at once.
    private const int StepsMax = 200;
    private static readonly TimeSpan TurnWaitMax = TimeSpan.FromSeconds(5);

    // Reads of the head that are under way while this process watches it.
    private readonly List<Task<Look>> _looks = [];

    // One read of places at a time: those of many writers that race would keep the store from answering any.
    private Task<IReadOnlyList<WriterPlace>?>? _placesRead;
    private Task<IReadOnlyList<WriterPlace>?>? _newcomersRead;

    // If other processes write here too, this waits for the writer's turn, and reads the head before the commit.
    private async Task TakeTurnAsync()
    {
        _turns.Begin(_queue.Count);
        _looks.Clear();
        var start = _sources.Time.GetTimestamp();
        try
        {
            await AskForNewcomersAsync();
            for (var steps = 0; steps < StepsMax && _sources.Time.GetElapsedTime(start) < TurnWaitMax; steps++)
            {
                if (_turns.TakePlace() is { } place) _places.Add(place, _stop.Token);
                switch (_turns.Next())
                {
                    case TurnStep.Look look:
                        if (look.AtPlaces) _placesRead ??= _places.ReadAsync(_stop.Token);
                        if (look.After > TimeSpan.Zero) await Task.Delay(look.After, _sources.Time, _stop.Token);
                        await ReadHeadAsync();
                        if (_placesRead is { IsCompleted: true } places)
                        {
                            _placesRead = null;
                            if (look.AtPlaces) SawPlaces(await places);
                        }
                        break;
                    case TurnStep.Watch watch:
                        await WatchAsync(watch);
                        break;
                    default:
                        return;
                }
            }
        }
        catch (Exception)
        {
            // The commit reads the head again, and its callers learn what is wrong.
            _head = null;
            _looks.Clear();
        }
    }

    // No commit waits for the answer: the next one sees it.
    private async Task AskForNewcomersAsync()
    {
        if (_newcomersRead is { IsCompleted: true } read)
        {
            _newcomersRead = null;
            if (await read is { Count: > 0 }) _turns.GiveWay();
        }

        if (_turns.AsksForNewcomers()) _newcomersRead ??= _places.ReadAsync(_stop.Token);
    }

    // Reads overlap, so that this process learns of a commit as soon as it has taken effect, and not a round trip later.
    private async Task WatchAsync(TurnStep.Watch watch)
    {
        var start = _sources.Time.GetTimestamp();
        var commit = _head?.Commit;
        var places = watch.AtPlaces ? _places.ReadAsync(_stop.Token) : null;
        while (_head?.Commit == commit && _sources.Time.GetElapsedTime(start) < watch.Max)
        {
            _stop.Token.ThrowIfCancellationRequested();
            _looks.Add(LookAsync());
            var next = Task.Delay(watch.Every, _sources.Time, _stop.Token);
            while (_head?.Commit == commit && await Task.WhenAny([next, .. _looks]) is Task<Look> look)
            {
                _looks.Remove(look);
                await SawAsync(await look);
            }
        }

        // Its turn has come, and nobody waits for answers about those who come later.
        if (places is { IsCompleted: true }) SawPlaces(await places);
    }

    private void SawPlaces(IReadOnlyList<WriterPlace>? places)
    {
        if (places is not null) _turns.SawPlaces(places);
    }

    private async Task<HeadRow> ReadHeadAsync()
    {
        await SawAsync(await LookAsync());
        return _head!;
    }

    private async Task<Look> LookAsync()
    {
        var (start, seen) = (_sources.Time.GetTimestamp(), _seen);
        var head = await _outcome.ReadHeadAsync(_stop.Token);
        return new Look(head, seen, _sources.Time.GetElapsedTime(start));
    }

    private async Task SawAsync(Look look)
    {
        var (head, seen, took) = look;
        // Checked once in a process: with a head that is too high, offsets would be missing for ever.
        if (_seen == 0 && head.Next > 0) await _outcome.CheckAsync(head, _stop.Token);
        _turns.Measured(took);
        // The table was deleted and created again, restored, or failed over. New events would get offsets and ids that readers and the
        // broker know already.
        if (head.Next < seen)
        {
            throw _calls.WentBack(
                _partitionKey,
                $"Table '{_calls.Table.Name}': the head of partition {_partitionKey} went back from {seen} to {head.Next} while this process ran. "
                + "Nothing more is written to it before the app is started again; docs/restore.md says what else to do.");
        }

        // Another read, sent later, was answered earlier; or this process has committed since.
        if (head.Next < _seen) return;
        _turns.Saw(head);
        _seen = head.Next;
        _head = head;
    }

    /// <summary>The head as one read found it, the offset that was known when the read was sent, and how long the read took.</summary>
    private sealed record Look(HeadRow Head, long Seen, TimeSpan Took);
}

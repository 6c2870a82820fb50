using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Outpost.Forwarding;

/// <summary>
/// Delivers to a target that answers for each entry by itself. Many entries are on their way at once, but of each subject
/// only one: so an entry that the target does not take is overtaken by none of its subject. Thread-safe.
/// </summary>
/// <param name="entriesMax">Entries of one delivery on their way at once.</param>
/// <param name="bytesMax">Bytes of one delivery on their way at once; a larger entry travels alone.</param>
/// <param name="time">Clock.</param>
public sealed class SingleSends(int entriesMax, long bytesMax, TimeProvider time)
{
    // Then only answers are waited for: a checkpoint is written every few seconds, and little is sent again after a crash.
    private static readonly TimeSpan SendsFor = TimeSpan.FromSeconds(2);

    // Attributes and headers, roughly.
    private const int BytesPerEntry = 1024;

    // By partition, the entry that the last delivery ended at. It is tried alone: what follows it would be sent each time.
    private readonly ConcurrentDictionary<int, EventId> _doubtful = new();

    /// <summary>
    /// Hands entries over, and answers for those from the first on that were accepted, or for the first that was not.
    /// </summary>
    /// <param name="entries">As a target gets them.</param>
    /// <param name="send">
    /// Hands one entry over; the task in the task is its answer, for that one entry. Never called twice at once, but by
    /// whatever thread completes an answer: let that be none that the target needs.
    /// </param>
    /// <param name="end">Ends it: with what was accepted by then.</param>
    /// <exception cref="OperationCanceledException">There was no answer for the first entry by the <paramref name="end"/>.</exception>
    public async Task<Delivery> DeliverAsync(
        IReadOnlyList<EventEntry> entries, Func<EventEntry, ValueTask<Task<Delivery>>> send, CancellationToken end)
    {
        var partition = entries[0].Partition;
        var run = new Run(this, entries, send) { IsFirstAlone = _doubtful.TryGetValue(partition, out var doubtful) && doubtful == entries[0].Id };
        try
        {
            await run.SendAsync(end);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // What was accepted by now counts.
        }

        var accepted = run.Answers.TakeWhile(answer => answer is { IsCompletedSuccessfully: true, Result: Delivery.Accepted }).Count();
        if (accepted < entries.Count && run.Answers[accepted] is not null) _doubtful[partition] = entries[accepted].Id;
        else _doubtful.TryRemove(partition, out _);
        if (accepted > 0) return new Delivery.Accepted(accepted);
        return run.Answers[0] is { IsCompleted: true } first ? await first : throw new OperationCanceledException(end);
    }

    private static long BytesOf(EventEntry entry) => entry.Payload.Length + BytesPerEntry;

    private sealed class Run(SingleSends limits, IReadOnlyList<EventEntry> entries, Func<EventEntry, ValueTask<Task<Delivery>>> send)
    {
        private readonly long _start = limits.Time.GetTimestamp();
        private readonly Channel<int> _answered = Channel.CreateUnbounded<int>(new UnboundedChannelOptions
        {
            SingleReader = true,
            AllowSynchronousContinuations = true,
        });

        // A subject that is in it has an entry on its way; the queue, where there is one, has those that wait for its answer.
        private readonly Dictionary<string, Queue<int>?> _busy = [];
        private readonly Queue<int> _ready = new();
        private int _next;
        private int _onTheirWay;
        private long _bytes;

        /// <summary>By entry; null: it was not sent.</summary>
        public Task<Delivery>?[] Answers { get; } = new Task<Delivery>?[entries.Count];

        public bool IsFirstAlone { get; init; }

        public async Task SendAsync(CancellationToken end)
        {
            for (var goesOn = true; ;)
            {
                while (goesOn && Next() is { } index)
                {
                    if (_next > 1 && limits.Time.GetElapsedTime(_start) > SendsFor) goesOn = false;
                    else await SendAsync(index);
                }

                if (_onTheirWay == 0) return;
                goesOn &= Settle(await _answered.Reader.ReadAsync(end));
            }
        }

        // Null: nothing may be sent until there is another answer.
        private int? Next()
        {
            if (IsFirstAlone && _next == 1 && _onTheirWay == 1) return null;
            if (_ready.TryPeek(out var ready)) return HasRoom(ready) ? _ready.Dequeue() : null;
            while (_next < entries.Count && HasRoom(_next))
            {
                var index = _next++;
                if (!_busy.TryGetValue(entries[index].Subject, out var behind)) return index;
                if (behind is null) _busy[entries[index].Subject] = behind = new Queue<int>();
                behind.Enqueue(index);
            }

            return null;
        }

        private bool HasRoom(int index) => _onTheirWay == 0 || (_onTheirWay < limits.EntriesMax && _bytes + BytesOf(entries[index]) <= limits.BytesMax);

        private async Task SendAsync(int index)
        {
            _busy.TryAdd(entries[index].Subject, null);
            var answer = await send(entries[index]);
            (Answers[index], _onTheirWay, _bytes) = (answer, _onTheirWay + 1, _bytes + BytesOf(entries[index]));
            _ = ReportAsync(index, answer);
        }

        private async Task ReportAsync(int index, Task<Delivery> answer)
        {
            await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _answered.Writer.TryWrite(index);
        }

        // False: it was not taken, and nothing more is sent.
        private bool Settle(int index)
        {
            (_onTheirWay, _bytes) = (_onTheirWay - 1, _bytes - BytesOf(entries[index]));
            if (Answers[index] is not { IsCompletedSuccessfully: true, Result: Delivery.Accepted }) return false;
            if (_busy[entries[index].Subject] is { Count: > 0 } behind) _ready.Enqueue(behind.Dequeue());
            else _busy.Remove(entries[index].Subject);
            return true;
        }
    }

    private int EntriesMax => entriesMax;

    private long BytesMax => bytesMax;

    private TimeProvider Time => time;
}

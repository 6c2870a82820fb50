using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Outpost.Forwarding;

/// <summary>
/// Delivers to a target that answers for each entry by itself. Many entries are on their way at once, but only one of each
/// subject. So no entry overtakes one of its subject that the target does not accept. Thread-safe.
/// </summary>
/// <param name="entriesMax">The most entries of one delivery on their way at once.</param>
/// <param name="bytesMax">The most bytes of one delivery on their way at once. A larger entry goes alone.</param>
/// <param name="time">Measures how long a delivery takes.</param>
public sealed class SingleSends(int entriesMax, long bytesMax, TimeProvider time)
{
    // After this time, a delivery only waits for answers. So a checkpoint is written every few seconds, and little is sent again
    // after a crash.
    private static readonly TimeSpan SendsFor = TimeSpan.FromSeconds(2);

    // A rough size for attributes and headers.
    private const int BytesPerEntry = 1024;

    // By partition, the entry at which the last delivery ended. It is tried alone, or the entries after it would be sent each time.
    private readonly ConcurrentDictionary<int, EventId> _doubtful = new();

    /// <summary>
    /// Sends entries, and returns how many were accepted, from the first on. If the first was not accepted, returns its answer.
    /// </summary>
    /// <param name="entries">One or more entries, as the target gets them.</param>
    /// <param name="send">
    /// Sends one entry. The inner task is the answer for that entry. It is never called twice at once. The thread that completes an
    /// answer may call it, so do not complete answers on a thread that the target needs.
    /// </param>
    /// <param name="end">Ends the delivery; entries accepted by then count.</param>
    /// <exception cref="OperationCanceledException"><paramref name="end"/> was cancelled before the first entry had an answer.</exception>
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
            // The entries accepted by now count.
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

        // Each subject here has an entry on its way. Its queue, if there is one, holds the entries that wait for the answer.
        private readonly Dictionary<string, Queue<int>?> _busy = [];
        private readonly Queue<int> _ready = new();
        private int _next;
        private int _onTheirWay;
        private long _bytes;

        /// <summary>The answer for each entry; null if the entry was not sent.</summary>
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

        // Returns null if nothing may be sent before the next answer.
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

        // Returns false if the entry was not accepted, so that nothing more is sent.
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

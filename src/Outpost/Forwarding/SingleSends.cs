using System.Collections.Concurrent;

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
    /// Hands entries over in order, and answers for those from the first on that were accepted, or for the first that was not.
    /// </summary>
    /// <param name="entries">As a target gets them.</param>
    /// <param name="send">Hands one entry over; the task in the task is its answer, for that one entry.</param>
    /// <param name="end">Ends it: with what was accepted by then.</param>
    /// <exception cref="OperationCanceledException">There was no answer for the first entry by the <paramref name="end"/>.</exception>
    public async Task<Delivery> DeliverAsync(
        IReadOnlyList<EventEntry> entries, Func<EventEntry, ValueTask<Task<Delivery>>> send, CancellationToken end)
    {
        var answers = new List<Task<Delivery>>(entries.Count);
        try
        {
            await SendAsync(entries, send, answers, end);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested && answers.Count > 0)
        {
            // What was accepted by now counts.
        }

        var accepted = 0;
        Delivery? other = null;
        while (accepted < answers.Count && other is null)
        {
            if (!answers[accepted].IsCompleted && !await IsAnsweredAsync(answers[accepted], end)) break;
            if (await answers[accepted] is Delivery.Accepted) accepted++;
            else other = await answers[accepted];
        }

        Remember(entries, accepted, answers.Count);
        if (accepted > 0) return new Delivery.Accepted(accepted);
        return other ?? throw new OperationCanceledException(end);
    }

    private async Task SendAsync(
        IReadOnlyList<EventEntry> entries, Func<EventEntry, ValueTask<Task<Delivery>>> send, List<Task<Delivery>> answers, CancellationToken end)
    {
        var (start, oldest, bytes) = (time.GetTimestamp(), 0, 0L);
        var subjects = new Dictionary<string, Task<Delivery>>();
        var alone = _doubtful.TryGetValue(entries[0].Partition, out var doubtful) && doubtful == entries[0].Id;
        foreach (var entry in entries)
        {
            end.ThrowIfCancellationRequested();
            while (oldest < answers.Count && (answers[oldest].IsCompleted || alone || IsFull(entry)))
            {
                if (await answers[oldest].WaitAsync(end) is not Delivery.Accepted) return;
                bytes -= BytesOf(entries[oldest++]);
                alone = false;
            }

            if (subjects.TryGetValue(entry.Subject, out var before) && await before.WaitAsync(end) is not Delivery.Accepted) return;
            if (answers.Count > 0 && time.GetElapsedTime(start) > SendsFor) return;
            answers.Add(subjects[entry.Subject] = await send(entry));
            bytes += BytesOf(entry);
        }

        bool IsFull(EventEntry next) => answers.Count - oldest >= entriesMax || bytes + BytesOf(next) > bytesMax;
    }

    private void Remember(IReadOnlyList<EventEntry> entries, int accepted, int sent)
    {
        if (accepted < sent) _doubtful[entries[0].Partition] = entries[accepted].Id;
        else _doubtful.TryRemove(entries[0].Partition, out _);
    }

    private static long BytesOf(EventEntry entry) => entry.Payload.Length + BytesPerEntry;

    private static async Task<bool> IsAnsweredAsync(Task<Delivery> answer, CancellationToken end)
    {
        try
        {
            await answer.WaitAsync(end);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested && !answer.IsCompleted)
        {
            return false;
        }

        return true;
    }
}

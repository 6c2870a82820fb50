using System.Collections.Concurrent;
using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;

namespace Outpost.ServiceBus;

/// <summary>
/// Sends entries to a topic, as many in one batch as its size allows. The broker accepts or refuses a batch as a whole.
/// An entry that fits into no batch, or is refused for its size, travels as a reference to its payload.
/// </summary>
internal sealed class ServiceBusTarget(ServiceBusOptions options, TimeProvider time) : IForwardTarget, IAsyncDisposable
{
    // The longest time for opening a link and sending, together. With the time that the client takes to notice, it is
    // shorter than what a lease has left.
    private static readonly TimeSpan DeliveryMax = TimeSpan.FromSeconds(6);

    // The client does not see a cancellation while it opens a link or waits for a token.
    private static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(1);

    // An overtaken answer was seen once in some hundred sends on a busy machine. Three in a row are rare, and then the
    // forwarder tries again.
    private const int AgainMax = 2;

    // A batch of this size gets through even a very slow connection in a second or two.
    private const long BatchBytesMin = 16 * 1024;

    private readonly Senders _senders = new(options.CreateClient, options.Topic, time);
    private readonly ByteBudget _budget = new();

    // The largest batch in bytes, for partitions where a send got no answer.
    private readonly ConcurrentDictionary<int, long> _batchBytes = new();

    /// <inheritdoc/>
    public async Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(DeliveryMax, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        Delivery delivery;
        try
        {
            delivery = await SendAsync(entries, replay, asReference: false, end.Token)
                // Null means that the topic takes less than its link says.
                ?? await SendAsync([entries[0]], replay, asReference: true, end.Token)
                ?? new Delivery.Refused(1, $"Even a reference to it is larger than {options.Topic} takes.");
        }
        catch (OperationCanceledException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            delivery = Answers.OfLink(new ServiceBusException(
                $"There was no answer within {DeliveryMax.TotalSeconds} s.", ServiceBusFailureReason.ServiceTimeout, innerException: e));
        }

        return delivery;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _senders.DisposeAsync();
        _budget.Dispose();
    }

    // A batch that the broker may have refused is sent again at once, under the same ids.
    private async Task<Delivery?> SendAsync(IReadOnlyList<EventEntry> entries, string? replay, bool asReference, CancellationToken end)
    {
        for (var again = 0; ; again++)
        {
            var delivery = await OpenAndSendAsync(entries, replay, asReference, end);
            if (again == AgainMax || delivery is not Delivery.Failed { Kind: Answers.Overtaken }) return delivery;
        }
    }

    // Null: the first entry is too large for the topic.
    private async Task<Delivery?> OpenAndSendAsync(IReadOnlyList<EventEntry> entries, string? replay, bool asReference, CancellationToken end)
    {
        var sending = _senders.Begin(entries[0].Partition);
        ServiceBusMessageBatch batch;
        try
        {
            // This opens the link where there is none yet, so no message can be at fault.
            batch = await NoticedAsync(sending.Sender.CreateMessageBatchAsync(end).AsTask(), end);
        }
        catch (Exception e)
        {
            Learn(sending, e);
            if (e is OperationCanceledException) throw;
            return Answers.OfLink(e);
        }

        var sent = Task.CompletedTask;
        try
        {
            if (Fill(batch, entries, replay, asReference) is { } refused) return refused;
            using var share = await _budget.TakeAsync(batch.SizeInBytes, time, end);
            if (share is null) return ByteBudget.Exhausted();
            using var answer = OvertakenAnswers.Expect(sending.Sender.Identifier);
            sent = sending.Sender.SendMessagesAsync(batch, end);
            return await AnswerAsync(sending, batch, sent, answer, end);
        }
        finally
        {
            // The client may still hold the batch. Then it is not disposed here.
            if (sent.IsCompleted) batch.Dispose();
        }
    }

    private async Task<Delivery?> AnswerAsync(Senders.Sending sending, ServiceBusMessageBatch batch, Task sent, OvertakenAnswers.Send answer, CancellationToken end)
    {
        try
        {
            await NoticedAsync(Awaited(sent), end);
            if (!answer.IsAcceptedByBroker) return Answers.OfOvertaken();
            _senders.Answered(sending);
            if (_batchBytes.TryGetValue(sending.Partition, out var bytes))
            {
                if (bytes * 2 < batch.MaxSizeInBytes) _batchBytes[sending.Partition] = bytes * 2;
                else _batchBytes.TryRemove(sending.Partition, out _);
            }

            return new Delivery.Accepted(batch.Count);
        }
        catch (Exception e)
        {
            Learn(sending, e);
            if (Answers.IsUnanswered(e)) _batchBytes[sending.Partition] = Math.Max(BatchBytesMin, batch.SizeInBytes / 2);
            if (e is OperationCanceledException) throw;
            return Answers.IsTooLarge(e) && batch.Count == 1 ? null : Answers.OfSend(e, batch.Count);
        }

        static async Task<bool> Awaited(Task task)
        {
            await task;
            return true;
        }
    }

    private void Learn(Senders.Sending sending, Exception e)
    {
        if (Answers.IsUnanswered(e)) _senders.Unanswered(sending);
        else if (Answers.IsOfTheMessage(e)) _senders.Answered(sending);
        else _senders.Failed(sending);
    }

    // Not null: the first entry is refused.
    private Delivery.Refused? Fill(ServiceBusMessageBatch batch, IReadOnlyList<EventEntry> entries, string? replay, bool asReference)
    {
        var bytes = _batchBytes.GetValueOrDefault(entries[0].Partition, long.MaxValue);
        try
        {
            while (!asReference && batch.Count < entries.Count && (batch.Count == 0 || batch.SizeInBytes < bytes) && TryAdd(batch, entries[batch.Count], replay))
            {
            }

            if (batch.Count > 0 || batch.TryAddMessage(Reference(entries[0], replay))) return null;
            return new Delivery.Refused(1, $"Even a reference to it is larger than the {batch.MaxSizeInBytes} bytes that {options.Topic} takes.");
        }
        catch (Exception e) when (Answers.IsOfTheMessage(e))
        {
            return Answers.Refused(e, 1);
        }
    }

    // An entry whose message cannot even be measured is refused by itself, not with those before it.
    private bool TryAdd(ServiceBusMessageBatch batch, EventEntry entry, string? replay)
    {
        try
        {
            return batch.TryAddMessage(MessageMapping.ToMessage(entry, options.Source, replay));
        }
        catch (Exception e) when (batch.Count > 0 && Answers.IsOfTheMessage(e))
        {
            return false;
        }
    }

    private ServiceBusMessage Reference(EventEntry entry, string? replay)
    {
        var message = MessageMapping.ToReference(entry, options.Source, options.PublicUrl, replay);
        if (options.PayloadsKeptFor is { } kept) message.TimeToLive = MessageMapping.TimeToLive(entry, kept, time.GetUtcNow());
        return message;
    }

    // A call that ignores its token is left alone soon after it is cancelled. Its sender is not used again.
    private async Task<T> NoticedAsync<T>(Task<T> call, CancellationToken end)
    {
        using var late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var registration = end.UnsafeRegister(_ => late.CancelAfter(NoticedWithin), null);
        try
        {
            return await call.WaitAsync(late.Token);
        }
        catch (OperationCanceledException) when (!call.IsCompleted)
        {
            _ = call.ContinueWith(
                failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
    }
}

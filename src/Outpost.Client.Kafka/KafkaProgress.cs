using Confluent.Kafka;

namespace Outpost.Client;

/// <summary>
/// Tracks the messages under way in each partition. An offset is stored when the messages before it are done too. Not
/// thread-safe: only the client's thread uses it.
/// </summary>
internal sealed class KafkaProgress
{
    private readonly Dictionary<TopicPartition, Queue<(Offset Offset, Task Work)>> _underWay = [];

    public int Count => _underWay.Values.Sum(each => each.Count);

    public void Add(TopicPartition partition, Offset offset, Task work)
    {
        if (!_underWay.TryGetValue(partition, out var queue)) _underWay[partition] = queue = new Queue<(Offset, Task)>();
        queue.Enqueue((offset, work));
    }

    /// <summary>Stores how far each partition is done.</summary>
    /// <exception cref="Exception">The failure of a message that is neither done nor a dead letter.</exception>
    public void Store<TKey, TValue>(IConsumer<TKey, TValue> client)
    {
        StoreWhatIsDone(client);
        foreach (var queue in _underWay.Values)
        {
            if (queue.TryPeek(out var first) && first.Work.IsCompleted) first.Work.GetAwaiter().GetResult();
        }
    }

    /// <summary>Stores how far each partition is done, and ignores failures.</summary>
    public void StoreWhatIsDone<TKey, TValue>(IConsumer<TKey, TValue> client)
    {
        foreach (var (partition, queue) in _underWay) Store(client, partition, queue);
    }

    /// <summary>Drops partitions that other members get. Where the client still has them, it stores what is done first.</summary>
    public void Forget<TKey, TValue>(IEnumerable<TopicPartition> partitions, IConsumer<TKey, TValue>? client)
    {
        foreach (var partition in partitions)
        {
            if (_underWay.Remove(partition, out var queue) && client is not null) Store(client, partition, queue);
        }
    }

    private static void Store<TKey, TValue>(IConsumer<TKey, TValue> client, TopicPartition partition, Queue<(Offset Offset, Task Work)> queue)
    {
        Offset? done = null;
        while (queue.TryPeek(out var first) && first.Work.IsCompletedSuccessfully) done = queue.Dequeue().Offset;
        if (done is { } last) client.StoreOffset(new TopicPartitionOffset(partition, last + 1));
    }
}

using Outpost.Client;

namespace Outpost.Tests.Simulation;

/// <summary>
/// What a consumer did, and how far it is. It outlives its processes; each write takes effect at one moment, whether its
/// writer hears of it or not.
/// </summary>
/// <param name="world">Has the log as it is.</param>
/// <param name="random">Of its failures.</param>
/// <param name="name">Whose it is.</param>
/// <param name="isExact">Whether effect and position are one write; otherwise the effect comes first.</param>
internal sealed class ConsumerDatabase(World world, Random random, string name, bool isExact) : IOffsetStore
{
    private const int OneIn = 25;
    private readonly Dictionary<int, FeedPosition> _stored = [];

    // The first entry, by partition, that had no effect yet.
    private readonly Dictionary<int, long> _next = [];

    public string Name => name;

    public bool IsExact => isExact;

    public bool HasAll => Enumerable.Range(0, world.Partitions).All(partition =>
        _next.GetValueOrDefault(partition) == world.Log.Head(partition) && _stored.TryGetValue(partition, out var stored) && stored.Offset == world.Log.Head(partition));

    public async Task<FeedPosition?> LoadAsync(int partition, CancellationToken cancellationToken)
    {
        await WorkAsync();
        Fail(FaultKind.ConsumerStoreFails);
        return _stored.GetValueOrDefault(partition);
    }

    public async Task StoreAsync(FeedPosition position, CancellationToken cancellationToken)
    {
        await WorkAsync();
        Fail(FaultKind.ConsumerStoreFails);
        Begin(position);
        if (position.Offset > _next[position.Partition])
            world.Judge.Wrong($"{name} stores {position.Offset} of partition {position.Partition}, and {_next[position.Partition]} had no effect");
        _stored[position.Partition] = position;
        Fail(FaultKind.ConsumerStoreFails);
    }

    /// <summary>At least once.</summary>
    public async Task HandleAsync(FeedEntry entry, CancellationToken cancellationToken)
    {
        await WorkAsync();
        if (!world.Sabotage.PassesOver(() => Fail(FaultKind.ConsumerFails))) Apply(entry);
        Fail(FaultKind.ConsumerFails);
    }

    /// <summary>Exactly once: effects and position together.</summary>
    public async Task HandlePageAsync(FeedPage page, CancellationToken cancellationToken)
    {
        await WorkAsync();
        Fail(FaultKind.ConsumerFails);
        if (_stored.GetValueOrDefault(page.Next.Partition) != page.Position) throw new InvalidOperationException("The stored position is another by now.");
        Begin(page.Next with { Offset = page.Position?.Offset ?? page.Next.Offset });
        foreach (var entry in page.Entries)
        {
            if (_next[entry.Partition] != entry.Offset) world.Judge.Wrong($"{name} has {entry.Offset} of partition {entry.Partition} after {_next[entry.Partition] - 1}");
            Apply(entry);
        }

        if (page.Next.Offset != _next[page.Next.Partition]) world.Judge.Wrong($"{name} goes on at {page.Next.Offset}, and {_next[page.Next.Partition]} had no effect");
        _stored[page.Next.Partition] = page.Next;
        Fail(FaultKind.ConsumerFails);
    }

    /// <summary>As a person does who reads why it cannot go on.</summary>
    public void Decide(FeedException reason)
    {
        if (reason is not { Failure: FeedFailure.Expired, Position: { } position, OldestOffset: { } oldest } || world.Retention.Oldest(position.Partition) <= position.Offset)
        {
            world.Judge.Wrong($"{name} must not go on: {reason}");
            return;
        }

        (_stored[position.Partition], _next[position.Partition]) = (position with { Offset = oldest }, oldest);
    }

    // The oldest entry there was when it was asked; the oldest there is may be another by now.
    private void Begin(FeedPosition position)
    {
        if (!_next.TryAdd(position.Partition, position.Offset)) return;
        if (position.Offset > world.Retention.Oldest(position.Partition))
            world.Judge.Wrong($"{name} begins at {position.Offset} of partition {position.Partition}, and the oldest is {world.Retention.Oldest(position.Partition)}");
    }

    private void Apply(FeedEntry entry)
    {
        var next = _next[entry.Partition];
        var known = world.Log.Entry(entry.Partition, entry.Offset);
        if (entry.Offset > next) world.Judge.Wrong($"{name} got {entry.Offset} of partition {entry.Partition}, and never {next}");
        if (entry.Subject != known.Subject || entry.Version != known.Version || System.Text.Encoding.UTF8.GetString(entry.PayloadBytes.Span) != known.Payload)
            world.Judge.Wrong($"{name} got {entry.Offset} of partition {entry.Partition} as it is not in the log");
        _next[entry.Partition] = Math.Max(next, entry.Offset + 1);
    }

    private Task WorkAsync() => Task.Delay(TimeSpan.FromMilliseconds(15 * random.NextDouble()), world.Time);

    private void Fail(FaultKind kind)
    {
        if (world.IsCalm || !world.Plan.Has(kind) || random.Next(OneIn) > 0) return;
        world.Fired(kind);
        throw new IOException("The database did not answer.");
    }
}

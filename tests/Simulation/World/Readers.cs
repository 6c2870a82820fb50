using System.Globalization;
using System.Text.Json;

namespace Outpost.Tests.Simulation;

/// <summary>
/// Clients that keep their own position and pull. What they are told must be true: each page continues the last, a final
/// page has the same bytes for ever, 410 and "beyond the head" are so.
/// </summary>
internal sealed class Readers(World world)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    // More than enough to read all of it.
    private const int EndPagesMax = 50;
    private readonly Dictionary<string, byte[]> _final = new(StringComparer.Ordinal);
    private readonly List<string> _finalUrls = [];
    private readonly List<Position> _positions = [];

    public Task RunAsync() => Task.WhenAll(Enumerable.Range(0, world.Plan.Readers).Select(ReadAsync));

    /// <summary>All readers have all there is.</summary>
    public void CheckEnd()
    {
        foreach (var position in _positions.Where(position => position.Next != world.Log.Head(position.Partition)))
            world.Judge.Wrong($"a reader of partition {position.Partition} came to {position.Next} of {world.Log.Head(position.Partition)}");
    }

    private async Task ReadAsync(int reader)
    {
        var random = world.Plan.Random($"reader {reader}");
        // In the last round of partitions, so that it reads one that is new: from when on there is one.
        var position = new Position(reader == 0 ? 0 : random.Next(world.Plan.PartitionsInTheEnd));
        _positions.Add(position);
        while (position.Partition >= world.Partitions && !world.IsAtRest) await Task.Delay(TimeSpan.FromMilliseconds(100), world.Time);
        while (!world.IsAtRest)
        {
            await Task.Delay(TimeSpan.FromSeconds(2 * random.NextDouble()), world.Time);
            switch (random.Next(7))
            {
                case 0 when _finalUrls.Count > 0:
                    await AskAsync(random, _finalUrls[random.Next(_finalUrls.Count)], null);
                    break;
                case 1:
                    await AskAsync(random, Url(position.Partition, world.Log.Head(position.Partition) + random.Next(4), 5, 0), null);
                    break;
                case 2:
                    await AskAsync(random, Url(position.Partition, random.NextInt64(world.Log.Head(position.Partition) + 1), 3, 0), null);
                    break;
                case 3:
                    await AskOffsetAtAsync(random, position.Partition);
                    break;
                default:
                    // Pages of few sizes: the same URLs come again.
                    await AskAsync(random, Url(position.Partition, position.Next, random.Next(3) == 0 ? 100 : 4, random.Next(3) == 0 ? 2 : 0), position);
                    break;
            }
        }

        for (var left = EndPagesMax; left > 0 && position.Next < world.Log.Head(position.Partition); left--)
            await AskAsync(random, Url(position.Partition, position.Next, 100, 0), position);
    }

    private static string Url(int partition, long offset, int limit, int wait) =>
        string.Create(CultureInfo.InvariantCulture, $"/api/events?partition={partition}&offset={offset}&limit={limit}{(wait > 0 ? $"&wait={wait}" : "")}");

    private async Task AskAsync(Random random, string url, Position? position)
    {
        var query = new HttpQuery(url);
        var (partition, offset) = (query.Number("partition"), query.Number("offset"));
        var before = (Head: world.Log.Head((int)partition), Oldest: world.Retention.Oldest((int)partition));
        if (await GetAsync(random, url) is not { } answer) return;
        var truth = new Truth(offset, before.Head, world.Log.Head((int)partition), before.Oldest, world.Retention.Oldest((int)partition));
        if (answer.Status == 200) Page(query, (int)partition, truth, answer, position);
        else Refused(url, truth, answer, position);
    }

    // The first entry from then on that readers are offered, or the head: never less than it was, nor more than it is now.
    private async Task AskOffsetAtAsync(Random random, int partition)
    {
        var time = world.Time.GetUtcNow() - (TimeSpan.FromSeconds(90) * random.NextDouble());
        var before = OffsetAt(partition, time);
        var url = string.Create(CultureInfo.InvariantCulture, $"/api/partitions/{partition}/offset-at?time={time:yyyy-MM-ddTHH:mm:ss.fffffffZ}");
        if (await GetAsync(random, url) is not { } answer) return;
        if (answer.Status != 200) world.Judge.Wrong($"{url} is answered {answer.Status}");
        using var json = JsonDocument.Parse(answer.Body);
        var offset = json.RootElement.GetProperty("offset").GetInt64();
        if (offset < before || offset > OffsetAt(partition, time)) world.Judge.Wrong($"{url} says {offset}; it was {before}, and is {OffsetAt(partition, time)}");
    }

    private long OffsetAt(int partition, DateTimeOffset time)
    {
        var (offset, head) = (world.Retention.Oldest(partition), world.Log.Head(partition));
        while (offset < head && world.Log.Entry(partition, offset).At < time) offset++;
        return offset;
    }

    // A process that is gone says nothing, one that cannot answer says so (null): the client asks another.
    private async Task<HttpAnswer?> GetAsync(Random random, string url)
    {
        using var end = new CancellationTokenSource(Patience, world.Time);
        var (node, token) = (world.AnyNode(random), end.Token);
        var asked = node.Process.Start(() => world.Bounds.HoldAsync(node.Process, NodeHttp.GetAsync(world, node, url, token), Bounds.Http, url));
        await Task.WhenAny(asked, Task.Delay(Patience, world.Time));
        return asked.IsCompleted && await asked is { Status: not 503 } answer ? answer : null;
    }

    private void Page(HttpQuery query, int partition, Truth truth, HttpAnswer answer, Position? position)
    {
        using var json = JsonDocument.Parse(answer.Body);
        var next = truth.Offset;
        foreach (var entry in json.RootElement.EnumerateArray())
        {
            var offset = entry.GetProperty("offset").GetInt64();
            var known = offset < truth.HeadAfter ? world.Log.Entry(partition, offset) : null;
            if (offset != next++) world.Judge.Wrong($"{query.Url} has {offset} where {next - 1} should be");
            else if (known is null || entry.GetProperty("subject").GetString() != known.Subject || entry.GetProperty("version").GetInt64() != known.Version ||
                     entry.GetProperty("payload").GetRawText() != known.Payload)
                world.Judge.Wrong($"{query.Url} has an entry {offset} that is not in the log like that");
        }

        if (answer["Next-Offset"] != next.ToString(CultureInfo.InvariantCulture)) world.Judge.Wrong($"{query.Url} goes on at {answer["Next-Offset"]}, not at {next}");
        if (next == truth.Offset && truth.HeadBefore > truth.Offset && answer["Retry-After"] is null && truth.Offset >= truth.OldestAfter)
            world.Judge.Wrong($"{query.Url} is empty, and the head is {truth.HeadBefore}");
        if (truth.Offset > truth.HeadAfter) world.Judge.Wrong($"{query.Url} is a page beyond the head, {truth.HeadAfter}");
        Final(query.Url, answer, json.RootElement.GetArrayLength());
        if (position is not null) position.Next = next;
    }

    // What a cache would keep.
    private void Final(string url, HttpAnswer answer, int count)
    {
        var isFinal = world.Sabotage.IsFinal(answer["Cache-Control"]!.Contains("immutable", StringComparison.Ordinal), count);
        if (isFinal && _final.TryGetValue(url, out var kept))
        {
            if (!kept.AsSpan().SequenceEqual(answer.Body)) world.Judge.Wrong($"{url} was final, and is another page now: {Difference(kept, answer.Body)}");
        }
        else if (isFinal)
        {
            _final[url] = answer.Body;
            _finalUrls.Add(url);
        }
    }

    private static string Difference(byte[] before, byte[] now)
    {
        var same = before.AsSpan().CommonPrefixLength(now);
        return $"{before.Length} bytes, now {now.Length}; from {same} on …{Around(before)}… and …{Around(now)}…";

        string Around(byte[] page) => System.Text.Encoding.UTF8.GetString(page.AsSpan(Math.Max(0, same - 60))[..Math.Min(120, page.Length - Math.Max(0, same - 60))]);
    }

    private void Refused(string url, Truth truth, HttpAnswer answer, Position? position)
    {
        using var json = JsonDocument.Parse(answer.Body);
        var type = json.RootElement.GetProperty("type").GetString()!.Split('/')[^1];
        var head = json.RootElement.TryGetProperty("headOffset", out var number) ? number.GetInt64() : -1;
        if (head < truth.HeadBefore || head > truth.HeadAfter) world.Judge.Wrong($"{url} says that the head is {head}; it is {truth.HeadAfter}");
        switch (answer.Status, type)
        {
            case (410, "offset-expired"):
                var oldest = json.RootElement.GetProperty("oldestOffset").GetInt64();
                if (truth.Offset >= oldest || oldest < truth.OldestBefore || oldest > truth.OldestAfter)
                    world.Judge.Wrong($"{url} says that {oldest} is the oldest; it is {truth.OldestAfter}");
                if (position is not null) position.Next = oldest;
                break;
            case (400, "offset-beyond-head"):
                if (truth.Offset <= truth.HeadBefore) world.Judge.Wrong($"{url} is told to be beyond the head, {truth.HeadBefore}");
                break;
            default:
                world.Judge.Wrong($"{url} is answered {answer.Status} {type}");
                break;
        }
    }

    private sealed class Position(int partition)
    {
        public int Partition { get; } = partition;

        public long Next { get; set; }
    }

    private readonly record struct Truth(long Offset, long HeadBefore, long HeadAfter, long OldestBefore, long OldestAfter);

    private sealed record HttpQuery(string Url)
    {
        public long Number(string name) =>
            long.Parse(System.Web.HttpUtility.ParseQueryString(Url[Url.IndexOf('?', StringComparison.Ordinal)..])[name]!, CultureInfo.InvariantCulture);
    }
}

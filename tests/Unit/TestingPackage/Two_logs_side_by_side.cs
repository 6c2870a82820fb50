using System.Globalization;
using Outpost.Forwarding;
using Outpost.Retention;
using Outpost.Tables;
using Outpost.Testing;

namespace Outpost.Tests.Unit.TestingPackage;

/// <summary>The log in memory and the one on tables are asked the same, also what is stale, in any order, and say the same.</summary>
public sealed class Two_logs_side_by_side
{
    private const int Seeds = 300;
    private const int Steps = 80;

    [Fact]
    public async Task Answer_alike_whatever_is_asked_of_them()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            await using var log = new SimulatedLog();
            await using var reader = log.AnotherProcess();
            await log.Store.LayoutAsync(CancellationToken.None);
            var memory = new InMemoryLog(log.Time);
            var sides = new[]
            {
                // Read by another process: the one that wrote has deleted entries in memory for a minute.
                new Side(log.Store, reader.Store, log.Checkpoints, new TableRetentionStore(log.Table, log.Sources)),
                new Side(memory, memory, memory, memory),
            };
            var history = new List<string>();
            for (var step = 0; step < Steps; step++)
            {
                var choice = new Random((seed * Steps) + step).Next();
                var answers = new List<string>();
                foreach (var side in sides) answers.Add(await side.StepAsync(new Random(choice)));
                history.Add(answers[0]);
                Assert.True(answers[0] == answers[1], $"Seed {seed}, step {step}:\non tables: {answers[0]}\nin memory: {answers[1]}\nafter:\n{string.Join('\n', history)}");
            }
        }
    }

    /// <summary>One log, and what was read of it: some of it is stale when it is used.</summary>
    private sealed class Side(IEventStore writer, IEventStore reader, IForwardingStore forwarding, IRetentionStore retention)
    {
        private readonly List<(string Id, StoredEntity? Entity)> _entities = [];
        private readonly List<Checkpoint> _checkpoints = [];
        private readonly List<PartitionState> _states = [];

        public async Task<string> StepAsync(Random random) => random.Next(12) switch
        {
            0 => await ReadEntityAsync(Pick(random, "a", "b", "c")),
            1 or 2 or 3 => await CommitAsync(random),
            4 => await ReadPartitionAsync(),
            5 => Entries(await reader.ReadEventsAsync(0, random.Next(12), random.Next(8), CancellationToken.None)),
            6 or 7 => await SaveAsync(random),
            8 => Text("begun", await forwarding.BeginAsync(await StateAsync(random), Checkpoint(random) with { Tag = null }, CancellationToken.None)),
            9 => await AskAsync(random),
            10 => await TrimAsync(random),
            _ => await ForgetAsync(random),
        };

        private async Task<string> ReadEntityAsync(string id)
        {
            var entity = await reader.ReadEntityAsync(0, "t", id, CancellationToken.None);
            _entities.Add((id, entity));
            return $"{id} is {entity?.Version.ToString(CultureInfo.InvariantCulture) ?? "none"} {(entity is null ? "" : Convert.ToHexString(entity.State.Span))}";
        }

        private async Task<string> CommitAsync(Random random)
        {
            var (id, expected) = _entities.Count == 0 || random.Next(4) == 0 ? (Pick(random, "a", "b", "c"), null) : _entities[random.Next(Math.Max(0, _entities.Count - 6), _entities.Count)];
            var key = random.Next(3) == 0 ? new Idempotency("s", Pick(random, "k1", "k2", "k3"), "same") : null;
            var events = Enumerable.Range(0, random.Next(1, 4)).Select(_ => new NewEvent("E", "application/octet-stream", new[] { (byte)random.Next(256) })).ToList();
            var result = await writer.CommitAsync(0, new Change("t", id, expected, "{}"u8.ToArray(), events, key, null, null), CancellationToken.None);
            var receipt = key is null ? null : await reader.ReadReceiptAsync(0, key, CancellationToken.None);
            return $"commit of {id} on {expected?.Version}: {result}, {receipt?.Version} {receipt?.Fingerprint}";
        }

        private async Task<string> ReadPartitionAsync()
        {
            var state = await reader.ReadPartitionAsync(0, CancellationToken.None);
            _states.Add(state);
            _checkpoints.AddRange(state.Checkpoints.Values.OrderBy(checkpoint => checkpoint.Forwarder, StringComparer.Ordinal));
            return $"{state.Oldest} to {state.Head} at {state.HeadTimestamp:O}, trimmed {state.Trimmed.Rows} {state.Trimmed.Receipts}; "
                + string.Join(", ", state.Checkpoints.Values.OrderBy(checkpoint => checkpoint.Forwarder, StringComparer.Ordinal).Select(checkpoint => Text(checkpoint.Forwarder, checkpoint))) + "; "
                + string.Join(", ", state.Controls.OrderBy(control => control.Key, StringComparer.Ordinal).Select(control => $"{control.Key} {control.Value.IsPaused}")) + "; "
                + string.Join(", ", state.Wishes.OrderBy(wish => wish.Key, StringComparer.Ordinal).Select(wish => $"{wish.Key} {wish.Value}"));
        }

        private async Task<string> SaveAsync(Random random)
        {
            var checkpoint = Checkpoint(random);
            var parked = await forwarding.ReadParkedAsync(0, checkpoint.Forwarder, 0, 100, CancellationToken.None);
            var unpark = parked.Where(_ => random.Next(3) == 0).Select(entry => entry.Offset).ToList();
            var park = Enumerable.Range(0, random.Next(3)).Select(_ => (long)random.Next(10)).Distinct().Except(unpark)
                .Select(offset => new ParkedEntry(0, offset, "t/a", "E", "no", null, random.Next(5), DateTimeOffset.UnixEpoch)).ToList();
            var saved = await forwarding.SaveAsync(0, checkpoint, park, unpark, CancellationToken.None);
            if (saved is not null) _checkpoints.Add(saved);
            var after = await forwarding.ReadParkedAsync(0, checkpoint.Forwarder, random.Next(4), random.Next(1, 9), CancellationToken.None);
            return $"{Text($"{checkpoint.Forwarder} saved", saved)}, parked {string.Join(", ", after)}";
        }

        private async Task<string> AskAsync(Random random)
        {
            var (state, forwarder) = (await StateAsync(random), Pick(random, "f", "g"));
            var control = state.ControlOf(forwarder) with { IsPaused = random.Next(2) == 0 };
            return $"asked of {forwarder}: {await forwarding.SaveControlAsync(0, forwarder, control, random.Next(2) == 0 ? state : null, CancellationToken.None)}";
        }

        private async Task<string> TrimAsync(Random random)
        {
            var state = await StateAsync(random);
            var oldest = random.NextInt64(state.Oldest, state.Head + 1);
            var traces = await retention.ReadTracesAsync(0, state.Trimmed.Receipts, 10, CancellationToken.None);
            var moved = random.Next(2) == 0
                ? await retention.SaveOldestAsync(0, oldest, state.Trimmed, CancellationToken.None)
                : await retention.DeleteReceiptsAsync(0, state.Oldest, state.Trimmed with { Receipts = state.Trimmed.Receipts + traces.Count }, traces, CancellationToken.None);
            var now = await reader.ReadPartitionAsync(0, CancellationToken.None);
            if (now.Oldest > 0) await retention.DeleteEventsAsync(0, now.Oldest - 1, 1, CancellationToken.None);
            return $"trimmed to {oldest}: {moved?.Rows} {moved?.Receipts}, now {now.Oldest}, {string.Join(", ", traces.Select(trace => $"{trace.Offset} {trace.Receipt is not null}"))}";
        }

        private async Task<string> ForgetAsync(Random random)
        {
            var forwarder = Pick(random, "f", "g");
            if (random.Next(3) > 0) await forwarding.WishAsync(0, forwarder, new LeaseWish(Pick(random, "me", "you"), random.Next(3)), CancellationToken.None);
            else await forwarding.ForgetAsync(0, forwarder, CancellationToken.None);
            return $"wish or forget of {forwarder}";
        }

        private async Task<PartitionState> StateAsync(Random random)
        {
            if (_states.Count == 0) await ReadPartitionAsync();
            return _states[random.Next(Math.Max(0, _states.Count - 3), _states.Count)];
        }

        private Checkpoint Checkpoint(Random random)
        {
            var owner = Pick(random, "me", "you");
            if (_checkpoints.Count == 0 || random.Next(5) == 0) return new Checkpoint { Forwarder = Pick(random, "f", "g"), NextOffset = 0, Epoch = 1, Owner = owner, Write = random.Next(1, 3) };
            var before = _checkpoints[random.Next(Math.Max(0, _checkpoints.Count - 4), _checkpoints.Count)];
            return before with { Refused = before.Refused + 1, Owner = owner, Write = before.Write + 1, Parked = random.Next(5) };
        }

        private static string Text(string what, Checkpoint? checkpoint) => checkpoint is null
            ? $"{what}: no"
            : $"{what}: {checkpoint.Forwarder} {checkpoint.Refused} {checkpoint.Epoch} {checkpoint.Owner} {checkpoint.Write} {checkpoint.Parked}";

        private static string Entries(IEnumerable<EventEntry> entries) =>
            string.Join(", ", entries.Select(entry => $"{entry.Offset} {entry.Subject} {entry.Version} {Convert.ToHexString(entry.Payload.Span)} {entry.Timestamp:O}"));

        private static string Pick(Random random, params string[] from) => from[random.Next(from.Length)];
    }
}

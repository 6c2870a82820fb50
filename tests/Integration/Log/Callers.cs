using System.Collections.Concurrent;
using Outpost.Orders;
using Outpost.Tests.Testing;
using Done = Outpost.CommandResult<Outpost.Orders.Order>.Done;

namespace Outpost.Tests.Integration.Log;

/// <summary>Clients of two processes on one log, who repeat until answered and keep what they were told.</summary>
internal sealed class Callers(TestLog one, TestLog two)
{
    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(150);
    private const int TriesMax = 100;
    private int _unavailable;
    private int _givenUp;
    private int _unknown;

    /// <summary>What they were told of each order.</summary>
    public ConcurrentDictionary<string, Told> Confirmed { get; } = new();

    /// <summary>How often the answer was to try again.</summary>
    public int Unavailable => _unavailable;

    /// <summary>How often one went to the other process before there was an answer.</summary>
    public int GivenUp => _givenUp;

    /// <summary>How often the answer was that it cannot be told.</summary>
    public int Unknown => _unknown;

    /// <summary>Most send keys; every fourth does without, and hears that it is unknown at worst.</summary>
    public async Task PlaceAndPayAsync(int number)
    {
        var id = $"o-{number}";
        var hasKeys = number % 4 != 0;
        var isImpatient = number % 16 == 1;
        var placed = await SendAsync(number, shift: 0, hasKeys, isImpatient, (log, giveUp) =>
            log.PlaceAsync(id, hasKeys ? $"place-{number}" : null, giveUp));
        var paid = placed is null ? null : await SendAsync(number, shift: 1, hasKeys, isImpatient, (log, giveUp) =>
            log.PayAsync(id, hasKeys ? $"pay-{number}" : null, cancellationToken: giveUp));
        Assert.Equal(1, placed?.Version ?? 1);
        Assert.Equal(2, paid?.Version ?? 2);
        Confirmed[id] = new Told(hasKeys, IsPlaced: placed is not null, IsPaid: paid is not null);
    }

    // Null: unknown, and without a key there is no way to ask. "Unavailable" and "busy" mean that nothing was written, so
    // even a command without a key may be sent again: done twice, the second one would be refused.
    private async Task<Done?> SendAsync(
        int number, int shift, bool hasKeys, bool isImpatient, Func<TestLog, CancellationToken, Task<CommandResult<Order>>> send)
    {
        for (var attempt = 0; attempt < TriesMax; attempt++)
        {
            using var giveUp = new CancellationTokenSource(isImpatient && attempt < 2 ? Impatience : Timeout.InfiniteTimeSpan);
            try
            {
                switch (await send((number + shift + attempt) % 2 == 0 ? one : two, giveUp.Token))
                {
                    case CommandResult<Order>.Unknown:
                        Interlocked.Increment(ref _unknown);
                        if (!hasKeys) return null;
                        break;
                    case CommandResult<Order>.Busy:
                        Interlocked.Increment(ref _unavailable);
                        break;
                    case Done done:
                        return done;
                    case var wrong:
                        throw new InvalidOperationException($"Command {number}, try {attempt + 1}: {wrong}");
                }
            }
            catch (StoreUnavailableException)
            {
                Interlocked.Increment(ref _unavailable);
            }
            catch (OperationCanceledException) when (giveUp.IsCancellationRequested)
            {
                Interlocked.Increment(ref _givenUp);
            }
        }

        throw new InvalidOperationException($"There was no answer in {TriesMax} tries.");
    }

    /// <summary>What became of an order, as far as its caller was told.</summary>
    internal sealed record Told(bool HasKeys, bool IsPlaced, bool IsPaid)
    {
        private static readonly (string, long)[] Nothing = [];
        private static readonly (string, long)[] Placed = [("OrderPlaced", 1)];
        private static readonly (string, long)[] Paid = [("OrderPlaced", 1), ("OrderPaid", 2)];

        /// <summary>Events that the log may hold of it, with their versions, in order.</summary>
        public IReadOnlyList<(string Type, long Version)[]> Allowed =>
            IsPaid ? [Paid] : IsPlaced ? [Placed, Paid] : [Nothing, Placed];
    }
}

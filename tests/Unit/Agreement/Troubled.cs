using Azure.Data.Tables;
using Azure.Messaging.ServiceBus;
using Outpost.Forwarding;
using Outpost.Tests.Unit.Forwarding;

namespace Outpost.Tests.Unit.Agreement;

/// <summary>Apps in trouble, each as it is when the trouble begins.</summary>
internal static class Troubled
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(4);

    public static Task<WatchedApp> NothingAsync() => ForwardedAsync();

    public static async Task<WatchedApp> SettingLostAsync()
    {
        var before = await ForwardedAsync();
        await before.StopAsync();
        await before.Log.AddAsync("waits");
        return new WatchedApp(before.Log.AnotherProcess());
    }

    public static async Task<WatchedApp> TimerDeadAsync()
    {
        var app = await ForwardedAsync();
        app.HasTimer = false;
        return app;
    }

    public static Task<WatchedApp> TopicMissingAsync() => FailingAsync(new ServiceBusException("There is no entity 'events'.", ServiceBusFailureReason.MessagingEntityNotFound));

    public static Task<WatchedApp> RoleMissingAsync() => FailingAsync(new UnauthorizedAccessException("Unauthorized access. 'Send' claim(s) are required to perform this operation."));

    // As the target of Service Bus reports it: without the end of the client's message, and so without a full stop.
    public static Task<WatchedApp> BusAwayAsync() => FailingAsync(new InvalidOperationException("ServiceCommunicationProblem: Connection refused"));

    public static async Task<WatchedApp> HandlerHangingAsync()
    {
        var log = new SimulatedLog();
        await log.AddAsync("a");
        return new WatchedApp(log, new Forwarder("refunds", new HandlerTarget<Counted>(new Hanging(log.Time), TallyJson.Default.Counted, new HandlerOptions(), log.Time)) { Within = Within });
    }

    public static Task<WatchedApp> EntryParkedAsync() => ParkedAsync(1, ["It is refused."]);

    public static Task<WatchedApp> ThousandParkedAsync() => ParkedAsync(1_000, ["one", "two", "three"]);

    public static async Task<WatchedApp> RefusesAllAsync()
    {
        var log = await ParkedLog.WithAsync("a", "b", "c", "d");
        return new WatchedApp(log, new Forwarder(ParkedLog.Name, new Refusing(_ => "No.")) { Within = Within, RefusalsInARow = 2 });
    }

    public static async Task<WatchedApp> ReplayStuckAsync()
    {
        var before = await ForwardedAsync();
        before.Log.Table.Remove("0000", "e|" + 1.ToString("D19", System.Globalization.CultureInfo.InvariantCulture));
        await before.StopAsync();
        // Another process: the one that committed it has it in memory.
        var app = new WatchedApp(before.Log.AnotherProcess(), Bus(new RecordingTarget()));
        await app.Operators.ReplayAsync(ParkedLog.Name, 0, 0, 2, CancellationToken.None);
        return app;
    }

    public static async Task<WatchedApp> RetentionHeldAsync()
    {
        var app = await ForwardedAsync();
        await app.Operators.PauseAsync(ParkedLog.Name, null, isPaused: true, CancellationToken.None);
        await app.Operators.ReplayAsync(ParkedLog.Name, 0, 0, 2, CancellationToken.None);
        app.Log.Time.Advance(TimeSpan.FromDays(11));
        return app;
    }

    public static Task<WatchedApp> TableAwayAsync() => WithoutStoreAsync(TableError.Unreachable);

    public static Task<WatchedApp> StoreRoleMissingAsync() => WithoutStoreAsync(() => TableError.Status(403, "AuthorizationPermissionMismatch"));

    public static Task<WatchedApp> TableMadeAgainAsync() => AnotherLogAsync(entries: 1);

    public static Task<WatchedApp> OtherLogAsync() => AnotherLogAsync(entries: 9);

    public static async Task<WatchedApp> RowDamagedAsync()
    {
        var app = await ForwardedAsync();
        app.Log.Table.Put(new TableEntity("0000", $"c|{ParkedLog.Name}") { ["Next"] = "many" });
        return app;
    }

    public static async Task<WatchedApp> ClockOffAsync()
    {
        var app = await ForwardedAsync();
        app.Log.Time.SetClock(TimeSpan.FromHours(1));
        return app;
    }

    public static async Task<WatchedApp> NewerPartitionAsync()
    {
        var app = await ForwardedAsync();
        var head = app.Log.Table.Row("0000", "!head")!;
        app.Log.Table.Put(new TableEntity("0000", "!head") { ["NextOffset"] = head["Next"], ["Commit"] = head["Commit"], ["At"] = head["At"], ["Generation"] = 2L });
        app.HasCallers = true;
        return app;
    }

    // Three entries are with the bus, and the timer has come.
    private static async Task<WatchedApp> ForwardedAsync()
    {
        var app = new WatchedApp(await ParkedLog.WithAsync("a", "b", "c"), Bus(new RecordingTarget()));
        await app.TickAsync();
        return app;
    }

    private static async Task<WatchedApp> FailingAsync(Exception error) =>
        new(await ParkedLog.WithAsync("a"), Bus(new RecordingTarget { Before = (_, _) => throw error }));

    private static async Task<WatchedApp> WithoutStoreAsync(Func<Exception> error)
    {
        var app = await ForwardedAsync();
        app.HasCallers = true;
        app.Log.Table.Faults = _ => new TableFault.BeforeEffect(error);
        return app;
    }

    private static async Task<WatchedApp> ParkedAsync(int count, string[] reasons)
    {
        var log = new SimulatedLog();
        for (var i = 0; i < count; i++) await log.DoAsync(Tallies.Count($"t{i}", reasons[i % reasons.Length]));
        return new WatchedApp(log, new Forwarder(ParkedLog.Name, new Refusing(Tallies.StepOf)) { RefusalsInARow = 0 });
    }

    private static async Task<WatchedApp> AnotherLogAsync(int entries)
    {
        var app = await ForwardedAsync();
        app.Log.Table.Drop();
        await using var other = app.Log.AnotherProcess();
        await other.AddManyAsync("other", entries);
        app.HasCallers = true;
        return app;
    }

    private static Forwarder Bus(IForwardTarget target) => new(ParkedLog.Name, target) { Within = Within };

    private sealed class Refusing(Func<EventEntry, string> reason) : IForwardTarget
    {
        public Task<Delivery> DeliverAsync(IReadOnlyList<EventEntry> entries, string? replay, CancellationToken cancellationToken) =>
            Task.FromResult<Delivery>(new Delivery.Refused(1, reason(entries[0])));
    }

    private sealed class Hanging(HastyTime time) : IEventHandler<Counted>
    {
        public async Task HandleAsync(Counted payload, EventEntry entry, CancellationToken cancellationToken)
        {
            var never = new TaskCompletionSource();
            cancellationToken.Register(() => never.TrySetCanceled(cancellationToken));
            time.Advance(TimeSpan.FromSeconds(5));
            await never.Task;
        }
    }
}

namespace Outpost.Tests.Simulation;

/// <summary>What goes wrong with requests to the table, while the world is not calm.</summary>
internal sealed class TableFaults(World world)
{
    private static readonly FaultKind[] OfRequests =
    [
        FaultKind.RequestLost, FaultKind.ResponseLost, FaultKind.TimeoutBeforeEffect, FaultKind.TimeoutAfterEffect, FaultKind.RequestDoubled,
        FaultKind.RequestLandsLate, FaultKind.RequestHeldBack, FaultKind.ResponseLate, FaultKind.InnerFailure,
        FaultKind.InnerFailureAfterEffect, FaultKind.ServerError, FaultKind.RetriesFailed, FaultKind.ForeignAnswer, FaultKind.UnreadableAnswer,
        FaultKind.CallHangs,
    ];

    private readonly Random _random = world.Plan.Random("table");
    private readonly Random _dates = world.Plan.Random("dates");
    private readonly FaultKind[] _kinds = [.. OfRequests.Where(world.Plan.Has)];

    /// <summary>Until when nothing reaches the table.</summary>
    public TimeSpan DownUntil { get; set; }

    /// <summary>Until when it answers that it has too much to do.</summary>
    public TimeSpan BusyUntil { get; set; }

    /// <summary>Until when the app's role is missing.</summary>
    public TimeSpan ForbiddenUntil { get; set; }

    public TableFault? Next(TableRequest request)
    {
        if (world.IsCalm || world.IsHistory) return null;
        if (world.Time.Elapsed < DownUntil) return new TableFault.BeforeEffect(TableError.Unreachable);
        if (world.Time.Elapsed < BusyUntil) return new TableFault.BeforeEffect(_random.Next(2) == 0 ? TableError.Busy : TableError.TooManyRequests);
        if (world.Time.Elapsed < ForbiddenUntil) return new TableFault.BeforeEffect(TableError.Forbidden);
        if (_kinds.Length == 0 || _random.NextDouble() >= world.Plan.FaultRate) return null;
        var kind = _kinds[_random.Next(_kinds.Length)];
        if (kind is FaultKind.InnerFailure or FaultKind.InnerFailureAfterEffect && request.Kind != TableOperation.Transaction) return null;
        // The client parses no other answers.
        if (kind is FaultKind.UnreadableAnswer && request.Kind is not (TableOperation.Get or TableOperation.QueryPage or TableOperation.Transaction)) return null;
        world.Faults.Fired(kind);
        if (world.Judge.IsTraced) world.Judge.Note($"{kind}: {request.Kind} {string.Join(' ', request.Keys.Take(4))}");
        return Of(kind);
    }

    /// <summary>Rows of the next page.</summary>
    public int Cut()
    {
        if (world.IsCalm || _random.Next(30) != 0) return int.MaxValue;
        var kind = _random.Next(2) == 0 ? FaultKind.PageEmpty : FaultKind.PageCutShort;
        if (!world.Plan.Has(kind)) return int.MaxValue;
        world.Faults.Fired(kind);
        return kind == FaultKind.PageEmpty ? 0 : 1 + _random.Next(3);
    }

    /// <summary>The date in the next answer: some are off by up to ten days, both ways.</summary>
    public DateTimeOffset Date(DateTimeOffset now)
    {
        if (world.IsCalm || world.IsHistory || !world.Plan.Has(FaultKind.WrongDate) || _dates.Next(60) != 0) return now;
        world.Faults.Fired(FaultKind.WrongDate);
        return now + TimeSpan.FromDays(20 * (_dates.NextDouble() - 0.5));
    }

    /// <summary>Whether a request takes effect although its caller has given it up.</summary>
    public bool OutlivesCaller()
    {
        if (world.IsCalm || !world.Plan.Has(FaultKind.RequestOutlivesCaller) || _random.Next(2) == 0) return false;
        world.Faults.Fired(FaultKind.RequestOutlivesCaller);
        return true;
    }

    private TableFault Of(FaultKind kind)
    {
        switch (kind)
        {
            case FaultKind.RequestLost:
                return new TableFault.BeforeEffect(TableError.Unreachable);
            case FaultKind.ResponseLost:
                return new TableFault.AfterEffect(TableError.ConnectionReset);
            case FaultKind.TimeoutBeforeEffect:
                return new TableFault.BeforeEffect(TableError.TimedOut);
            case FaultKind.TimeoutAfterEffect:
                return new TableFault.AfterEffect(TableError.TimedOut);
            case FaultKind.RequestDoubled:
                return new TableFault.SentTwice();
            case FaultKind.RequestHeldBack:
                return new TableFault.HeldBack(SoonAsync());
            case FaultKind.ResponseLate:
                return new TableFault.SlowAnswer(SoonAsync());
            case FaultKind.InnerFailure:
                return new TableFault.BeforeEffect(Inner());
            case FaultKind.InnerFailureAfterEffect:
                return new TableFault.AfterEffect(Inner());
            case FaultKind.ServerError:
                return BeforeOrAfter(TableError.InternalError);
            case FaultKind.ForeignAnswer:
                return BeforeOrAfter(_random.Next(2) == 0 ? TableError.Foreign : () => TableError.Transaction(404, ""));
            case FaultKind.UnreadableAnswer:
                return BeforeOrAfter(TableError.Unreadable);
            case FaultKind.CallHangs:
                return new TableFault.Silence();
            case FaultKind.RetriesFailed:
                return BeforeOrAfter(TableError.RetriesFailed);
            default:
                return new TableFault.LandsLate(_random.Next(2) == 0 ? TableError.TimedOut : TableError.ConnectionReset, Later());
        }
    }

    private TableFault BeforeOrAfter(Func<Exception> error) =>
        _random.Next(2) == 0 ? new TableFault.BeforeEffect(error) : new TableFault.AfterEffect(error);

    private Func<Exception> Inner() => _random.Next(3) switch
    {
        0 => () => TableError.Transaction(500, "OperationTimedOut"),
        1 => () => TableError.Transaction(503, "ServerBusy", 1),
        _ => () => TableError.Transaction(429, "TooManyRequests"),
    };

    // Mostly soon: while its outcome is looked up, while it is sent again. Sometimes long after.
    private Landing Later()
    {
        var landing = new Landing();
        _ = LandAsync();
        return landing;

        async Task LandAsync()
        {
            await Task.Delay(TimeSpan.FromSeconds(9 * Math.Pow(_random.NextDouble(), 4)), world.Time);
            landing.Now();
        }
    }

    private Task SoonAsync() => Task.Delay(TimeSpan.FromSeconds(6 * Math.Pow(_random.NextDouble(), 3)), world.Time);
}

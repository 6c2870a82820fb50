using System.Globalization;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Microsoft.Extensions.Logging;

namespace Outpost.Tables;

/// <summary>
/// The store's clock, as seen from here: local time, corrected by the <c>Date</c> header of the store's answers. Each answer bounds
/// the difference between the two clocks: the store stamped it between sending and receiving, and the header has whole seconds.
/// The correction moves only when it leaves these bounds.
/// An answer that is far off means that some clock went wrong. It moves the correction only when more answers in a row agree with
/// it than have confirmed the current correction, of which at most <see cref="WitnessesMax"/> count.
/// Local time is the machine's clock at the start plus the time that has passed, so setting that clock has no effect. Otherwise a
/// commit could take a wrong time before any answer corrects it. A time that is too late stays, since times never decrease.
/// </summary>
internal sealed partial class StoreClock(TimeProvider time, ILogger<StoreClock> logger, OutpostMetrics? metrics = null) : HttpPipelinePolicy
{
    private static readonly TimeSpan SkewWorthTelling = TimeSpan.FromSeconds(2);
    private const int WitnessesMax = 5;

    // Guards the correction, the other correction that answers suggest, and the witnesses of both.
    private readonly Lock _lock = new();
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _correction;
    private TimeSpan _other;
    private TimeSpan _otherSlack;
    private int _witnesses;
    private int _otherWitnesses;
    private int _told;

    internal TimeProvider Time => time;

    /// <summary>The current time by the store's clock, in UTC.</summary>
    public DateTimeOffset Now => Local + Correction;

    /// <summary>What is added to local time.</summary>
    public TimeSpan Correction
    {
        get
        {
            lock (_lock) return _correction;
        }
    }

    /// <summary>
    /// Whether answers told the time, and neither this machine's clock nor another answer agrees with them. Then this clock may be
    /// as wrong as the machine's.
    /// </summary>
    internal bool IsInDoubt
    {
        get
        {
            lock (_lock) return _witnesses == 0 && _otherWitnesses > 0;
        }
    }

    /// <summary>A larger difference is not explained by an answer's travel time and the whole seconds of its header.</summary>
    internal static TimeSpan FarOff { get; } = TimeSpan.FromSeconds(3);

    private DateTimeOffset Local => _startedAt + time.GetElapsedTime(_start);

    /// <inheritdoc/>
    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var sent = Local;
        await ProcessNextAsync(message, pipeline);
        Observe(message, sent);
    }

    /// <inheritdoc/>
    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var sent = Local;
        ProcessNext(message, pipeline);
        Observe(message, sent);
    }

    /// <summary>The correction after one more answer. Pure.</summary>
    public static TimeSpan Correct(TimeSpan correction, DateTimeOffset sent, DateTimeOffset received, DateTimeOffset date)
    {
        var least = date - received;
        var most = date + TimeSpan.FromSeconds(1) - sent;
        return correction < least ? least : correction > most ? most : correction;
    }

    /// <summary>
    /// The time in an answer. If the answer has none, this clock's time. If it is later than what others have confirmed, a time that
    /// is not late: this clock may be late itself by as much as answers leave open, and a lease that is judged by it must not end early.
    /// </summary>
    internal DateTimeOffset TimeOf(Response answer)
    {
        var now = Now;
        if (DateOf(answer) is not { } date) return now;
        // A time that is early may be right: the answer may have waited while this process stood still.
        lock (_lock) return _witnesses > 0 && date - now > FarOff ? now - FarOff : date;
    }

    // Headers.Date throws if the header is not a date, which would turn a good answer into a fault.
    private static DateTimeOffset? DateOf(Response answer) =>
        answer.Headers.TryGetValue("Date", out var text) &&
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : null;

    private void Observe(HttpMessage message, DateTimeOffset sent)
    {
        if (!message.HasResponse || DateOf(message.Response) is not { } date) return;
        TimeSpan before, after;
        lock (_lock)
        {
            before = _correction;
            after = _correction = Heard(sent, Local, date);
        }

        if (after == before) return;
        metrics?.ClockSkew(-after);
        if (after.Duration() >= SkewWorthTelling && Interlocked.Exchange(ref _told, 1) == 0)
            LogSkew(Math.Round(-after.TotalSeconds, 1));
    }

    // Call it under the lock.
    private TimeSpan Heard(DateTimeOffset sent, DateTimeOffset received, DateTimeOffset date)
    {
        var near = Correct(_correction, sent, received, date);
        if ((near - _correction).Duration() <= FarOff)
        {
            _witnesses = Math.Min(_witnesses + 1, WitnessesMax);
            _otherWitnesses = 0;
            return near;
        }

        var other = Correct(_other, sent, received, date);
        // The longer an answer was under way, the less exact is its time.
        var slack = received - sent;
        var agrees = _otherWitnesses > 0 && (other - _other).Duration() <= FarOff + _otherSlack;
        (_other, _otherWitnesses, _otherSlack) = agrees
            ? (other, _otherWitnesses + 1, slack < _otherSlack ? slack : _otherSlack)
            : (near, 1, slack);
        if (_otherWitnesses <= Math.Max(1, _witnesses)) return _correction;
        (_witnesses, _otherWitnesses) = (_otherWitnesses, 0);
        return _other;
    }

    [LoggerMessage(10, LogLevel.Warning, "This machine's clock is {SkewSeconds} s ahead of the store's; the store's counts")]
    private partial void LogSkew(double skewSeconds);
}

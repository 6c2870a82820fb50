using System.Globalization;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Microsoft.Extensions.Logging;

namespace Outpost.Tables;

/// <summary>
/// The store's clock, as far as it can be told from here: local time corrected by the <c>Date</c> header of the store's
/// answers. Each answer bounds the difference between the two clocks (the store stamped it between sending and
/// receiving, and the header has whole seconds); the correction moves only when it leaves these bounds.
/// An answer that is far from what was believed (a clock somewhere that went wrong) moves it only when others say the same
/// and none in between says otherwise: one more than have borne out what is believed, up to <see cref="WitnessesMax"/>.
/// Local time is what the machine's clock said at the start, counted on by a timer that nobody sets: a commit knows of
/// no answer since a clock was set, and a time that is too late would stay for as long, since times never decrease.
/// </summary>
internal sealed partial class StoreClock(TimeProvider time, ILogger<StoreClock> logger, OutpostMetrics? metrics = null) : HttpPipelinePolicy
{
    private static readonly TimeSpan SkewWorthTelling = TimeSpan.FromSeconds(2);
    private const int WitnessesMax = 5;

    // Guards the five below.
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

    /// <summary>Now, by the store's clock, UTC.</summary>
    public DateTimeOffset Now => Local + Correction;

    /// <summary>What is added to local time.</summary>
    public TimeSpan Correction
    {
        get
        {
            lock (_lock) return _correction;
        }
    }

    /// <summary>More than the way of an answer and the whole seconds of its header explain.</summary>
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

    /// <summary>The time an answer tells; this clock's own where it tells none, or one that several others contradict.</summary>
    internal DateTimeOffset TimeOf(Response answer)
    {
        var now = Now;
        if (DateOf(answer) is not { } date) return now;
        // An early one may have waited for this process, which stood still: what it tells is as old as it says.
        lock (_lock) return _witnesses > 1 && date - now > FarOff ? now : date;
    }

    // Headers.Date would throw where the header is no date, and make a fault of a good answer.
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

    // Under the lock.
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
        // An answer that was long under way tells the time only so far.
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

using System.Globalization;
using Azure.Core;
using Azure.Core.Pipeline;
using Microsoft.Extensions.Logging;

namespace Outpost.Tables;

/// <summary>
/// The store's clock, as far as it can be told from here: local time corrected by the <c>Date</c> header of the store's
/// answers. Each answer bounds the difference between the two clocks (the store stamped it between sending and
/// receiving, and the header has whole seconds); the correction moves only when it leaves these bounds.
/// Local time is what the machine's clock said at the start, counted on by a timer that nobody sets: a commit knows of
/// no answer since a clock was set, and a time that is too late would stay for as long, since times never decrease.
/// </summary>
public sealed partial class StoreClock(TimeProvider time, ILogger<StoreClock> logger, OutpostMetrics? metrics = null) : HttpPipelinePolicy
{
    private static readonly TimeSpan SkewWorthTelling = TimeSpan.FromSeconds(2);
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly long _start = time.GetTimestamp();
    private long _correctionTicks;
    private int _told;

    /// <summary>Now, by the store's clock, UTC.</summary>
    public DateTimeOffset Now => Local + Correction;

    /// <summary>What is added to local time.</summary>
    public TimeSpan Correction => TimeSpan.FromTicks(Interlocked.Read(ref _correctionTicks));

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

    private void Observe(HttpMessage message, DateTimeOffset sent)
    {
        // Headers.Date would throw where the header is no date, and make a fault of a good answer.
        if (!message.HasResponse || !message.Response.Headers.TryGetValue("Date", out var text) ||
            !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            return;
        var before = Correction;
        var after = Correct(before, sent, Local, date);
        if (after == before) return;
        // A lost update costs nothing: the next answer corrects again.
        Interlocked.CompareExchange(ref _correctionTicks, after.Ticks, before.Ticks);
        metrics?.ClockSkew(-after);
        if (after.Duration() >= SkewWorthTelling && Interlocked.Exchange(ref _told, 1) == 0)
            LogSkew(Math.Round(-after.TotalSeconds, 1));
    }

    [LoggerMessage(10, LogLevel.Warning, "This machine's clock is {SkewSeconds} s ahead of the store's; the store's counts")]
    private partial void LogSkew(double skewSeconds);
}

using System.Globalization;
using System.Text.RegularExpressions;

namespace Outpost.AspNetCore;

/// <summary>Reads every form of time in RFC 3339, 5.6.</summary>
internal static partial class Rfc3339
{
    /// <summary>
    /// A fraction finer than 100 ns is cut off. A leap second becomes the instant after it. A time before year 1 or
    /// after year 9999 in UTC becomes the first or the last instant that there is.
    /// </summary>
    public static bool TryParse(string text, out DateTimeOffset time)
    {
        time = default;
        var parts = Pattern().Match(text);
        if (!parts.Success) return false;
        int Part(string name) => parts.Groups[name].Success ? int.Parse(parts.Groups[name].ValueSpan, CultureInfo.InvariantCulture) : 0;
        var (year, month, day) = (Part("year"), Part("month"), Part("day"));
        // Year 0 is a leap year like 2000, but this calendar has no such year.
        if (month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year == 0 ? 2000 : year, month)) return false;
        var (hour, minute, second) = (Part("hour"), Part("minute"), Part("second"));
        var (offsetHours, offsetMinutes) = (Part("offsetHours"), Part("offsetMinutes"));
        if (hour > 23 || minute > 59 || second > 60 || offsetHours > 23 || offsetMinutes > 59) return false;

        var offset = new TimeSpan(offsetHours, offsetMinutes, 0);
        if (parts.Groups["sign"].Value == "-") offset = -offset;
        var ofDay = new TimeSpan(hour, minute, second) - offset;
        if (second == 60)
        {
            // Leap seconds come at the end of a day in UTC.
            if (ofDay.Ticks % TimeSpan.TicksPerDay != 0) return false;
        }
        else if (parts.Groups["fraction"].Success)
        {
            ofDay += TimeSpan.FromTicks(long.Parse(parts.Groups["fraction"].Value.PadRight(7, '0').AsSpan(0, 7), CultureInfo.InvariantCulture));
        }

        var ticks = year == 0 ? -1 : new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc).Ticks + ofDay.Ticks;
        time = new DateTimeOffset(Math.Clamp(ticks, 0, DateTime.MaxValue.Ticks), TimeSpan.Zero);
        return true;
    }

    // An unescaped + in a query arrives as a space.
    [GeneratedRegex(
        @"^(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})[Tt](?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(\.(?<fraction>[0-9]+))?([Zz]|(?<sign>[+\- ])(?<offsetHours>[0-9]{2}):(?<offsetMinutes>[0-9]{2}))\z",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}

using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Outpost.LocalHost;

/// <summary>
/// One small file per timer below the data folder. Losing one costs no more than the notice of a missed run, so what
/// cannot be read or written is logged and done without, as in the host.
/// </summary>
internal sealed partial class TimerRecordFiles(string directory, ILogger logger)
{
    public TimerRecord? Read(string timer)
    {
        try
        {
            return File.Exists(PathOf(timer))
                ? JsonSerializer.Deserialize<TimerRecord>(File.ReadAllText(PathOf(timer)))
                : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            NotRead(failure, timer);
            return null;
        }
    }

    public void Write(string timer, TimerRecord record)
    {
        try
        {
            Directory.CreateDirectory(directory);
            // A crash in the middle leaves the old file whole.
            var draft = PathOf(timer) + ".new";
            File.WriteAllText(draft, JsonSerializer.Serialize(record));
            File.Move(draft, PathOf(timer), overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            NotWritten(failure, timer);
        }
    }

    private string PathOf(string timer) => Path.Combine(directory, $"{timer}.json");

    [LoggerMessage(1, LogLevel.Warning, "The record of the timer {Timer} could not be read; it starts afresh")]
    private partial void NotRead(Exception failure, string timer);

    [LoggerMessage(2, LogLevel.Warning, "The record of the timer {Timer} could not be written")]
    private partial void NotWritten(Exception failure, string timer);
}

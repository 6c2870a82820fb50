using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Outpost.LocalHost;

/// <summary>
/// Keeps one small file per timer in the data folder. To lose one costs only the notice of a missed run. So a file that
/// cannot be read or written is logged and ignored, as in the real host.
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
            // The rename leaves the old file complete if the process ends during the write.
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

    [LoggerMessage(1, LogLevel.Warning, "The record of the timer {Timer} could not be read, so the timer starts without it")]
    private partial void NotRead(Exception failure, string timer);

    [LoggerMessage(2, LogLevel.Warning, "The record of the timer {Timer} could not be written")]
    private partial void NotWritten(Exception failure, string timer);
}

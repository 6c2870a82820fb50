using System.Globalization;
using Outpost.Tables.Copies;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Outpost.Cli;

/// <summary>Shows the progress of long work on standard error, and when it will end.</summary>
internal static class LongWork
{
    public static Task<T> ShowAsync<T>(Func<Action<CopyProgress>, Task<T>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new CountColumn(), new RemainingTimeColumn(), new EndColumn())
            .StartAsync(progress =>
            {
                ProgressTask? task = null;
                var what = "";
                return work(told =>
                {
                    // Steps come one after the other, so a new one ends the last.
                    if (task is null || what != told.What)
                    {
                        task?.StopTask();
                        task = progress.AddTask(Markup.Escape(what = told.What));
                    }

                    task.IsIndeterminate = told.Total is null;
                    task.MaxValue = Math.Max(1, told.Total ?? long.MaxValue);
                    task.Value = told.Done;
                });
            });
    }

    private sealed class CountColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(
            task.IsIndeterminate ? task.Value.ToString("N0", CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{task.Value:N0} of {task.MaxValue:N0}"));
    }

    private sealed class EndColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(
            task is { IsIndeterminate: false, IsFinished: false, RemainingTime: { } left } ? $"ends at {DateTime.Now + left:HH:mm:ss}" : "");
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using Outpost.Tables.Copies;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Outpost.Cli;

/// <summary>Shows on standard error how far long work has come, and when it will end.</summary>
internal static class LongWork
{
    public static Task<T> ShowAsync<T>(Func<Action<CopyProgress>, Task<T>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new CountColumn(), new RemainingTimeColumn(), new EndColumn())
            .StartAsync(progress =>
            {
                var tasks = new ConcurrentDictionary<string, ProgressTask>();
                return work(told =>
                {
                    var task = tasks.GetOrAdd(told.What, what => progress.AddTask(Markup.Escape(what)));
                    task.IsIndeterminate = told.Total is null;
                    task.MaxValue = Math.Max(1, told.Total ?? told.Done + 1);
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

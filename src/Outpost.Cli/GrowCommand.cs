using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.Dev;
using Outpost.Tables;
using Outpost.Tables.Copies;

namespace Outpost.Cli;

/// <summary><c>outpost grow</c> gives a log that is in use more partitions.</summary>
internal static class GrowCommand
{
    public static Command Make(Option<string> account, Option<string> name, Option<bool> json)
    {
        var partitions = new Option<int>("--partitions") { Description = $"How many partitions the log is to have, up to {Limits.PartitionsMax} and never fewer than now", Required = true };
        var command = new Command("grow", "Give a log more partitions, even while it is in use");
        foreach (var option in new Option[] { account, name, partitions }) command.Options.Add(option);
        command.SetAction((options, stop) => RunAsync(
            options.GetRequiredValue(account), options.GetRequiredValue(name), options.GetRequiredValue(partitions), options.GetValue(json), stop));
        return command;
    }

    private static async Task<int> RunAsync(string account, string name, int partitions, bool isJson, CancellationToken stop)
    {
        if (partitions is < 1 or > Limits.PartitionsMax)
            throw new DevException($"--partitions: '{partitions}' is not allowed; 1 to {Limits.PartitionsMax} is.");
        var table = LogTable.Open(account, name);
        var growth = new LogGrowth(table, new StoreClock(TimeProvider.System, NullLogger<StoreClock>.Instance), LogTable.Sources);
        var layout = await LogTable.DoAsync(
            "Stopped. The next outpost grow finishes what has begun, and so does the app where it needs it.",
            () => LongWork.ShowAsync(async tell =>
            {
                try
                {
                    return await growth.GrowAsync(partitions, new Steps(tell), stop);
                }
                catch (LayoutMismatchException e)
                {
                    throw new DevException(e.Message);
                }
            }),
            stop);
        var counts = string.Join(", ", layout.Counts.Select(count => count.ToString(CultureInfo.InvariantCulture)));
        Console.WriteLine(isJson
            ? new JsonObject { ["log"] = layout.Log, ["table"] = table.Name, ["partitions"] = layout.Partitions, ["counts"] = new JsonArray([.. layout.Counts.Select(count => (JsonNode)count)]) }.ToJsonString()
            : $"The log {layout.Log} in table {table.Name} has {layout.Partitions} partitions; it has had {counts}. Set Outpost__PartitionCount to {layout.Partitions} now: an app that starts with another count is refused.");
        return 0;
    }

    // Progress<T> would report later and in any order. Here the last step reported is the one that was reached.
    private sealed class Steps(Action<CopyProgress> tell) : IProgress<GrowthProgress>
    {
        public void Report(GrowthProgress value) => tell(new CopyProgress(value.Step, value.Done, value.Of));
    }
}

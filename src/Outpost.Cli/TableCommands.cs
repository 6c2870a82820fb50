using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Outpost.Dev;
using Outpost.Tables.Copies;
using Spectre.Console;

namespace Outpost.Cli;

/// <summary>Commands that work on a table directly, whether or not an app runs.</summary>
internal static class TableCommands
{
    private static readonly Option<string> Account = new("--table") { Description = "The account: a connection string, or https://ACCOUNT.table.core.windows.net to use your sign-in", Required = true };
    private static readonly Option<string> TableName = new("--name") { Description = "The table in that account", DefaultValueFactory = _ => "outpost" };
    private static readonly Option<string> To = new("--to") { Description = "A file that does not exist yet, or an account as in --table", Required = true };
    private static readonly Option<string> ToName = new("--to-name") { Description = "The table in that account; it must be empty", DefaultValueFactory = _ => "outpost" };
    private static readonly Option<string> From = new("--from") { Description = "A file that outpost backup wrote", Required = true };

    private const string Consumers =
        """
        The new table holds another log: every id begins with its own log id, and nothing that came after the backup is in it.
        - Set Outpost__TableName to the new table, with the same Outpost__PartitionCount, and start the app. Stop apps on the old table first.
        - Forwarders go on at their checkpoints. What was sent after them is sent again, with new MessageIds that duplicate detection does not know.
        - Readers of the feed find another log (GET /api/partitions). Let them start again, from offset 0 or from the backup's time.
        - Consumers of the bus must forget the last sequence that they remember for each subject.
        - What was committed after the backup is not in this table. Consumers still have the part that was forwarded.
        """;

    public static IEnumerable<Command> All(Option<bool> json)
    {
        yield return Make("verify", "Find damage of every kind in a log, and say what it breaks", [Account, TableName], (options, stop) => VerifyAsync(options, options.GetValue(json), stop));
        yield return GrowCommand.Make(Account, TableName, json);
        yield return Make("backup", "Copy a log to a file or into another table, even while it is in use", [Account, TableName, To, ToName], (options, stop) => BackupAsync(options, options.GetValue(json), stop));
        yield return Make("restore", "Make a log from a backup, in an empty table", [From, Account, TableName], (options, stop) => RestoreAsync(options, options.GetValue(json), stop));
    }

    private static Command Make(string name, string description, Option[] options, Func<ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (var option in options) command.Options.Add(option);
        command.SetAction(run);
        return command;
    }

    private static async Task<int> VerifyAsync(ParseResult options, bool isJson, CancellationToken stop)
    {
        var table = LogTable.Open(options.GetRequiredValue(Account), options.GetRequiredValue(TableName));
        var verified = await LogTable.DoAsync("Stopped: part of the log was not checked.", () => LongWork.ShowAsync(tell => new LogVerification(table, LogTable.Sources, tell).RunAsync(stop)), stop);
        if (isJson) Console.WriteLine(Json(verified).ToJsonString());
        else AnsiConsole.Write(Tables.Verified(verified));
        return verified.Findings.Counts.Count == 0 ? 0 : 1;
    }

    private static async Task<int> BackupAsync(ParseResult options, bool isJson, CancellationToken stop)
    {
        var table = LogTable.Open(options.GetRequiredValue(Account), options.GetRequiredValue(TableName));
        var to = options.GetRequiredValue(To);
        if (!LogTable.IsAccount(to))
        {
            var end = await WriteFileAsync(table, to, stop);
            Tell(isJson, new JsonObject { ["file"] = Path.GetFullPath(to), ["rows"] = end.Rows, ["partitions"] = Partitions(end.Partitions) }, $"{to} is complete: {end.Rows.ToString("N0", CultureInfo.InvariantCulture)} rows.", end);
            return 0;
        }

        var target = LogTable.Open(to, options.GetRequiredValue(ToName));
        var file = Path.Combine(Path.GetTempPath(), $"outpost-{Guid.NewGuid():N}");
        try
        {
            await WriteFileAsync(table, file, stop);
            return await RestoreAsync(target, file, isJson, stop);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Task<int> RestoreAsync(ParseResult options, bool isJson, CancellationToken stop) =>
        RestoreAsync(LogTable.Open(options.GetRequiredValue(Account), options.GetRequiredValue(TableName)), options.GetRequiredValue(From), isJson, stop);

    // The file has another name until it is complete.
    private static async Task<BackupEnd> WriteFileAsync(Azure.Data.Tables.TableClient table, string path, CancellationToken stop)
    {
        if (File.Exists(path)) throw new DevException($"--to: {path} exists already.");
        var part = path + ".part";
        var isWhole = false;
        try
        {
            var end = await LogTable.DoAsync("Stopped: no backup was written.", () => LongWork.ShowAsync(async tell =>
            {
                await using var stream = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, 1024 * 1024);
                var written = await new LogBackup(table, LogTable.Sources, tell).WriteAsync(stream, stop);
                stream.Flush(flushToDisk: true);
                return written;
            }), stop);
            File.Move(part, path);
            isWhole = true;
            return end;
        }
        finally
        {
            if (!isWhole) File.Delete(part);
        }
    }

    private static async Task<int> RestoreAsync(Azure.Data.Tables.TableClient table, string path, bool isJson, CancellationToken stop)
    {
        if (!File.Exists(path)) throw new DevException($"--from: there is no file {path}.");
        var (log, end) = await LogTable.DoAsync(
            "Stopped. The table holds a part, which no app takes for a log. Delete the table before you restore again.",
            () => LongWork.ShowAsync(async tell =>
            {
                await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1024 * 1024);
                var (_, whole) = await BackupReader.CheckAsync(stream, stop);
                stream.Position = 0;
                return (await new LogRestore(table, LogTable.Sources, tell).WriteAsync(stream, whole, stop), whole);
            }),
            stop);
        Tell(isJson, new JsonObject { ["log"] = log, ["table"] = table.Name, ["partitions"] = Partitions(end.Partitions) }, $"Table {table.Name} now holds the log {log}. To check all of it, run outpost verify.", end);
        if (!isJson) Console.WriteLine(Consumers);
        return 0;
    }

    private static void Tell(bool isJson, JsonObject json, string text, BackupEnd end)
    {
        if (isJson)
        {
            Console.WriteLine(json.ToJsonString());
            return;
        }

        foreach (var one in end.Partitions)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Partition {one.Partition}: {(one.Head > one.Oldest ? $"entries {one.Oldest} to {one.Head - 1}" : "no entries")}{(one.Missing > 0 ? $", {one.Missing} of them missing in the table: outpost verify says more" : "")}."));
        Console.WriteLine(text);
    }

    private static JsonArray Partitions(IReadOnlyList<BackupPartition> partitions) => new([.. partitions.Select(one =>
        (JsonNode)new JsonObject { ["partition"] = one.Partition, ["oldest"] = one.Oldest, ["head"] = one.Head, ["missing"] = one.Missing })]);

    private static JsonObject Json(Verified verified) => new()
    {
        ["log"] = verified.Log,
        ["sound"] = verified.Findings.Counts.Count == 0,
        ["partitions"] = new JsonArray([.. verified.Partitions.Select(one => (JsonNode)new JsonObject
        {
            ["partition"] = one.Partition, ["oldest"] = one.Oldest, ["head"] = one.Head, ["entities"] = one.Entities, ["events"] = one.Events, ["receipts"] = one.Receipts, ["parked"] = one.Parked,
        })]),
        ["counts"] = new JsonObject(verified.Findings.Counts.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
        ["findings"] = new JsonArray([.. verified.Findings.Told.Select(one => (JsonNode)new JsonObject
        {
            ["kind"] = one.Kind, ["partitionKey"] = one.PartitionKey, ["rowKey"] = one.RowKey, ["what"] = one.What, ["breaks"] = one.Breaks,
        })]),
    };
}

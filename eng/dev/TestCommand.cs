using System.Diagnostics;
using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Outpost.Dev;

/// <summary>Builds once, runs the groups one after the other, and counts the results.</summary>
internal sealed class TestCommand(Repository repository, Shell shell)
{
    private static readonly TimeSpan GroupWithin = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan TestWithin = TimeSpan.FromMinutes(8);

    // All browser tests are in one file, which Node.js counts as one test.
    private static readonly TimeSpan FileWithin = TimeSpan.FromMinutes(20);

    /// <summary>
    /// The others keep their results. Only for whole groups: whoever chooses tests may choose one that runs for an hour.
    /// </summary>
    private static readonly string[] OneThatHangsIsNamed =
        ["--blame-hang-timeout", $"{TestWithin.TotalSeconds}s", "--blame-hang-dump-type", "none"];

    /// <summary>Beginnings of lines in a test run that the user does not need.</summary>
    private static readonly string[] Noise =
    [
        "VSTest version ", "Starting test execution", "A total of ", "Results File: ", "Passed! ", "Failed! ",
        "Test run for ", "[xUnit.net ", "Data collector 'Blame' message: All tests finished",
    ];

    private readonly List<string> _failures = [];

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var (groups, rest) = TestGroup.Parse(arguments);
        var total = TestTally.None;
        if (await PrepareAsync(groups))
        {
            foreach (var group in groups) total += await RunAsync(group, rest);
        }
        else
        {
            total = TestTally.Broken;
        }

        foreach (var line in FailedTests.Shown(_failures)) Console.WriteLine(line);
        foreach (var package in Packages(groups)) if (package.Missing is { } missing) Console.WriteLine(missing);
        Console.WriteLine(total);
        return total.IsGood ? 0 : 1;
    }

    private static IEnumerable<DebianPackage> Packages(IReadOnlyList<TestGroup> groups) => groups.SelectMany(group => group.Uses ?? []).Distinct();

    /// <summary>Counts a failed build or install as a failure, so that the last line shows it.</summary>
    private async Task<bool> PrepareAsync(IReadOnlyList<TestGroup> groups)
    {
        try
        {
            var node = new NodePackages(shell);
            if (groups.Any(group => group.NeedsNode)) await node.EnsureNodeAsync();
            using var turn = await repository.TakeTurnAsync(shell.Stopped);
            if (groups.Any(group => group.NeedsNode))
            {
                await node.EnsureAsync(repository.LocalServices);
                await node.EnsureAsync(repository.PathOf("tests"));
                await node.EnsureAsync(repository.Prose);
            }

            foreach (var package in Packages(groups)) await package.EnsureAsync(shell);
            if (groups.Any(group => group.NeedsBrowser)) await EnsureBrowserAsync(node);
            await new Build(repository, shell).RunAsync(Repository.Solution);
            return true;
        }
        catch (DevException problem)
        {
            Console.Error.WriteLine(problem.Message);
            return false;
        }
    }

    /// <summary>
    /// Installs a browser by an npm package where there is none. Where that fails, the tests say that they are skipped.
    /// </summary>
    private async Task EnsureBrowserAsync(NodePackages node)
    {
        var folder = repository.PathOf("tests", "Browser");
        var installed = await shell.RunAsync("node", ["chromium.mjs"], folder);
        if (installed.Succeeded) return;
        try
        {
            await node.EnsureAsync(folder);
        }
        catch (DevException problem)
        {
            Console.Error.WriteLine(problem.Message);
        }
    }

    private async Task<TestTally> RunAsync(TestGroup group, IReadOnlyList<string> rest)
    {
        var folder = repository.PathOf("tests", group.Project);
        var hasProject = File.Exists(Path.Combine(folder, $"{group.Project}.csproj"));
        if (!hasProject && group.NodeTests is null)
        {
            Console.WriteLine($"{group.Name}: no project yet.");
            return TestTally.None;
        }

        var watch = Stopwatch.StartNew();
        var tally = hasProject ? await RunDotnetAsync(group, folder, rest) : TestTally.None;
        if (group.NodeTests is { } tests && rest.Count == 0)
        {
            tally += await RunNodeAsync(group, tests.Select(each => Path.Combine(folder, each)));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{group.Name}: {tally} ({watch.Elapsed.TotalSeconds:F0} s)"));
        return tally;
    }

    private async Task<TestTally> RunDotnetAsync(TestGroup group, string folder, IReadOnlyList<string> rest)
    {
        var assembly = Path.Combine(folder, "bin", Build.Configuration, "net10.0", $"Outpost.Tests.{group.Project}.dll");
        var trx = ResultPath($"{group.Name}.trx");
        var run = await shell.RunAsync(
            "dotnet",
            [
                "test", assembly, "--logger", $"trx;LogFileName={trx}", "--nologo",
                "--results-directory", Path.GetDirectoryName(trx)!,
                .. rest.Count > 0 ? rest : OneThatHangsIsNamed,
            ],
            repository.Root,
            line => PrintUseful(line),
            rest.Count > 0 ? null : GroupWithin);
        if (run.TimedOut)
        {
            Console.WriteLine($"{group.Name} did not end within {GroupWithin.TotalMinutes} minutes and was stopped.");
        }

        if (!File.Exists(trx)) return run.Succeeded ? TestTally.None : TestTally.Broken;
        try
        {
            var results = XDocument.Load(trx);
            _failures.AddRange(FailedTests.FromTrx(results));
            return TestTally.FromTrx(results).After(run.Succeeded);
        }
        catch (XmlException)
        {
            return TestTally.Broken; // cut off while it was written
        }
    }

    private async Task<TestTally> RunNodeAsync(TestGroup group, IEnumerable<string> folders)
    {
        var files = folders.SelectMany(folder => Directory.GetFiles(folder, "*.test.mjs").Order()).ToArray();
        var tap = ResultPath($"{group.Name}.tap");
        var run = await shell.RunAsync(
            "node",
            [
                "--test", $"--test-timeout={FileWithin.TotalMilliseconds}",
                "--test-reporter=tap", $"--test-reporter-destination={tap}",
                "--test-reporter=spec", "--test-reporter-destination=stdout",
                .. files,
            ],
            repository.PathOf("tests"),
            within: GroupWithin);
        if (!run.Succeeded)
        {
            foreach (var line in run.Lines) Console.WriteLine(line);
        }

        if (!File.Exists(tap)) return TestTally.Broken;
        var results = await File.ReadAllTextAsync(tap);
        _failures.AddRange(FailedTests.FromTap(results));
        return TestTally.FromTap(results).After(run.Succeeded);
    }

    private string ResultPath(string name)
    {
        var path = Path.Combine(Directory.CreateDirectory(repository.PathOf("TestResults")).FullName, name);
        File.Delete(path);
        return path;
    }

    private static void PrintUseful(string line)
    {
        var isNoise = line.Length == 0 || Noise.Any(start => line.StartsWith(start, StringComparison.Ordinal));
        if (!isNoise) Console.WriteLine(line);
    }
}

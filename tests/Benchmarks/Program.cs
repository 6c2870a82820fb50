using System.Globalization;
using Outpost.Tests.Benchmarks;
using Outpost.Tests.Benchmarks.Micro;
using Outpost.Tests.Benchmarks.Soak;

// The benchmarks: dotnet run dev.cs bench [--quick] [--json FILE] [--only GROUP]. Each group is a file of its own and one
// line here, writes its figures into the same flat list, and brings its own warm-up.
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
(string Name, Func<BenchmarkOptions, Figures, Task> RunAsync)[] groups =
[
    ("commit", CommitBenchmarks.RunAsync),
    ("scale", ScaleBenchmarks.RunAsync),
    ("grow", GrowthBenchmarks.RunAsync),
    ("forward", ForwardBenchmarks.RunAsync),
    ("targets", TargetBenchmarks.RunAsync),
    ("latency", LatencyBenchmarks.RunAsync),
    ("received", ReceivedBenchmarks.RunAsync),
    ("feed", FeedBenchmarks.RunAsync),
    ("start", StartBenchmarks.RunAsync),
    ("micro", MicroBenchmarks.RunAsync),
];
if (args is [SoakProcess.Argument, .. var rest])
{
    await SoakProcess.RunAsync(rest);
    return 0;
}

var options = BenchmarkOptions.Parse(args);
// It takes long: only who asks for it gets it.
if (options.Only == "soak") groups = [("soak", SoakBenchmarks.RunAsync)];
var chosen = groups.Where(group => group.Name.StartsWith(options.Only, StringComparison.Ordinal)).ToArray();
if (chosen.Length == 0)
{
    Console.Error.WriteLine(
        $"--only {options.Only}: there is no such group, but {string.Join(", ", groups.Select(group => group.Name))}.");
    return 1;
}

var figures = new Figures();
await Machine.DescribeAsync(figures);
foreach (var group in chosen) await group.RunAsync(options, figures);

Console.WriteLine();
figures.Print(Console.Out);
if (options.Json is { } file) figures.Write(file);
return 0;

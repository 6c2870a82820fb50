using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Outpost.Tests.Benchmarks.Micro;

/// <summary>The hot paths without I/O, one by one: nanoseconds and allocated bytes by BenchmarkDotNet, in this process.</summary>
internal static class MicroBenchmarks
{
    private const double NanosecondsPerMicrosecond = 1_000;

    public static Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        var job = (options.Quick ? Job.Dry : Job.ShortRun).WithToolchain(InProcessEmitToolchain.DontLogOutput);
        var config = ManualConfig.CreateEmpty().AddJob(job).AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance).AddLogger(NullLogger.Instance)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), $"outpost-micro-{Environment.ProcessId}"));
        var summary = BenchmarkRunner.Run<Micro>(config);
        if (summary.HasCriticalValidationErrors) throw new InvalidOperationException(string.Join('\n', summary.ValidationErrors));
        foreach (var report in summary.Reports)
        {
            var name = report.BenchmarkCase.Descriptor.WorkloadMethod.Name.ToLowerInvariant();
            var what = report.BenchmarkCase.Descriptor.Categories is [var limit, ..] ? limit : "";
            if (report.ResultStatistics is not { } statistics) throw new InvalidOperationException($"The micro-benchmark {name} has no result.");
            figures.Sample($"micro.{name}.us", statistics.Median / NanosecondsPerMicrosecond, "µs", what);
            figures.Sample($"micro.{name}.bytes", report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0, "bytes", what);
        }

        Directory.Delete(summary.ResultsDirectoryPath, recursive: true);
        return Task.CompletedTask;
    }
}

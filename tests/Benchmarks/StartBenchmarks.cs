using System.Diagnostics;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// A cold start: the example app as it is published (compiled ahead), from the start of the local host to its first answer, and
/// to the answer of the first command. The worker's process, its functions and its first request to the table are in it.
/// </summary>
internal static class StartBenchmarks
{
    private const string Ready = "Ready: ";

    // A start takes seconds; a machine that needs a minute has other work.
    private static readonly TimeSpan StartsWithin = TimeSpan.FromMinutes(1);

    public static async Task RunAsync(BenchmarkOptions options, Figures figures)
    {
        Console.WriteLine("start: publishing the example app");
        var published = Directory.CreateTempSubdirectory("outpost-bench-start-").FullName;
        try
        {
            await PublishAsync(published);
            // The first one has the files read from the disk.
            for (var round = 0; round < (options.Quick ? 2 : 6); round++)
            {
                Console.WriteLine($"start: round {round}");
                var (answer, command) = await StartAsync(published);
                if (round == 0) continue;
                figures.Sample("start.first_answer_ms", answer.TotalMilliseconds, "ms", "the published app on the local host; most of it is the runtime, the worker and its first request to the table");
                figures.Sample("start.first_command_ms", command.TotalMilliseconds, "ms", "the first command after that answer");
            }
        }
        finally
        {
            Directory.Delete(published, recursive: true);
        }
    }

    private static async Task PublishAsync(string folder)
    {
        using var publish = Process.Start(new ProcessStartInfo("dotnet", ["publish", Path.Combine(Root(), "src", "Functions"), "--no-build", "-c", "Release", "-o", folder, "-nologo", "-v", "quiet"]))!;
        await publish.WaitForExitAsync();
        if (publish.ExitCode != 0) throw new InvalidOperationException($"dotnet publish ended with {publish.ExitCode}.");
    }

    private static async Task<(TimeSpan Answer, TimeSpan Command)> StartAsync(string published)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(Root(), "src", "LocalHost", "bin", "Release", "net10.0", "Outpost.LocalHost.dll"), "--root", published, "--port", "0", "--exit-with-stdin"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TableStorage"] = await Azurite.ConnectionStringAsync();
        start.Environment["Outpost__TableName"] = (await Azurite.NewTableAsync()).Name;
        start.Environment["FORWARDER_SCHEDULE"] = "0 0 0 1 1 *";
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = await AddressAsync(process.StandardOutput).WaitAsync(StartsWithin) };
            using (var answer = await http.GetAsync("/api/events")) answer.EnsureSuccessStatusCode();
            var first = Stopwatch.GetElapsedTime(began);
            began = Stopwatch.GetTimestamp();
            using var order = new StringContent("""{"orderId":"o-1","customerId":"c-1","lines":[{"sku":"a","quantity":1,"unitPrice":1}]}""", null, "application/json");
            using (var answer = await http.PostAsync("/api/orders", order)) answer.EnsureSuccessStatusCode();
            return (first, Stopwatch.GetElapsedTime(began));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    private static async Task<Uri> AddressAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith(Ready, StringComparison.Ordinal)) continue;
            // Nobody reads the rest; a full pipe would stop the host.
            _ = output.BaseStream.CopyToAsync(Stream.Null);
            return new Uri(line[Ready.Length..]);
        }

        throw new InvalidOperationException("The app ended before it was ready.");
    }

    private static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Functions.sln"))) return folder;
        }

        throw new InvalidOperationException("The benchmarks do not run below the repository.");
    }
}

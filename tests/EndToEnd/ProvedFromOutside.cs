using Xunit.Abstractions;

namespace Outpost.Tests.EndToEnd;

/// <summary>
/// The black box (tests/BlackBox), shortly: <c>dotnet run dev.cs prove --minutes 30</c> is the long run.
/// </summary>
public sealed class ProvedFromOutside(ITestOutputHelper log)
{
    [Fact]
    public async Task Two_disturbed_processes_keep_every_promise()
    {
        var (exitCode, output) = await ChildProcess.RunAsync(
            "node", ["tests/BlackBox/main.mjs", "--minutes", "0.6", "--seed", "1", "--every", "0.3"], within: TimeSpan.FromMinutes(7));

        log.WriteLine(output);
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Whoever_proves_it_sees_what_is_wrong()
    {
        var (exitCode, output) = await ChildProcess.RunAsync("node", ["--test", "tests/BlackBox/"]);

        Assert.True(exitCode == 0, output);
    }
}

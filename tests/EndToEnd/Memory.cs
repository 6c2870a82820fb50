using System.Globalization;

namespace Outpost.Tests.EndToEnd;

/// <summary>The app stays small, and nothing in it grows with the number of events.</summary>
public sealed class Memory
{
    private const int IdleMegabytesMax = 150;

    [Fact]
    public async Task An_idle_app_is_small()
    {
        if (!OperatingSystem.IsLinux()) return; // Elsewhere there is no such file to read.
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync();
        using var placed = await app.PlaceAsync("o-1");

        Assert.InRange(ResidentMegabytes(app.Process.Id), 1, IdleMegabytesMax);
    }

    private static int ResidentMegabytes(int processId)
    {
        var line = File.ReadLines($"/proc/{processId}/status").Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}

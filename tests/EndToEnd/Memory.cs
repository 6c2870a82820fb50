namespace Outpost.Tests.EndToEnd;

/// <summary>The app stays small, and nothing in it grows with the number of events.</summary>
public sealed class Memory
{
    private const int IdleMegabytesMax = 150;

    [Fact]
    public async Task An_idle_app_is_small()
    {
        await using var services = await LocalServices.StartAsync();
        var app = await services.StartAppAsync();
        using var placed = await app.PlaceAsync("o-1");

        Assert.InRange(ProcessMemory.ResidentMegabytes(app.WorkerId()), 1, IdleMegabytesMax);
    }
}

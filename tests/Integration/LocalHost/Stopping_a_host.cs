using System.Net;

namespace Outpost.Tests.Integration.LocalHost;

public sealed class Stopping_a_host
{
    [Fact]
    public async Task A_request_under_way_is_told_and_answered_before_the_host_ends()
    {
        await using var host = await HostProcess.StartAsync();
        var request = host.Http.GetStringAsync(new Uri("api/stay", UriKind.Relative));
        await host.LineAsync("request entered");

        await host.SignalAsync("TERM");
        await host.LineAsync("request cancelled");
        host.LetGo();

        Assert.Equal("stayed", await request);
        Assert.Equal(0, await host.ExitAsync());
    }

    [Fact]
    public async Task A_timer_under_way_is_told_and_ends_before_the_host_does()
    {
        await using var host = await HostProcess.StartAsync(environment: new() { ["TICK_STAYS"] = "1" });
        await host.LineAsync("tick entered");

        await host.SignalAsync("TERM");
        await host.LineAsync("tick cancelled");
        host.LetGo();

        Assert.Equal(0, await host.ExitAsync());
        Assert.Contains("tick left", host.Errors);
    }

    [Fact]
    public async Task What_takes_longer_than_allowed_is_left_behind()
    {
        await using var host = await HostProcess.StartAsync(["--stop-seconds", "0"], environment: new() { ["TICK_STAYS"] = "1" });
        await host.LineAsync("tick entered");

        await host.SignalAsync("TERM");

        Assert.Equal(0, await host.ExitAsync());
        Assert.DoesNotContain("tick left", host.Errors);
    }

    [Fact]
    public async Task The_end_of_standard_input_stops_it_when_asked_to()
    {
        await using var host = await HostProcess.StartAsync();

        host.EndInput();

        Assert.Equal(0, await host.ExitAsync());
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_its_request_and_no_other()
    {
        await using var host = await HostProcess.StartAsync();
        using var leave = new CancellationTokenSource();
        var request = host.Http.GetAsync(new Uri("api/stay", UriKind.Relative), leave.Token);
        await host.LineAsync("request entered");

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await host.LineAsync("request cancelled");
        host.LetGo();
        using var other = await host.Http.GetAsync(new Uri("api/settings/x", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }
}

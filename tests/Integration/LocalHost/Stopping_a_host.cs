using System.IO.Pipes;
using System.Net;

namespace Outpost.Tests.Integration.LocalHost;

public sealed class Stopping_a_host
{
    private static readonly Dictionary<string, string> Daily = new() { ["Tick__Schedule"] = "0 0 0 * * *" };

    [Fact]
    public async Task A_request_under_way_is_told_and_answered_before_the_host_ends()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(environment: Daily);
        var request = host.Http.GetStringAsync(new Uri("api/stay", UriKind.Relative));
        await host.Signals.Entered.Wait();

        host.Stop();
        await host.Signals.Cancelled.Wait();
        Assert.False(host.Ended.IsCompleted);
        host.Signals.Leave.Set();

        Assert.Equal("stayed", await request);
        Assert.Equal(0, await host.Ended);
    }

    [Fact]
    public async Task A_timer_under_way_is_told_and_ends_before_the_host_does()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(
            environment: Daily.Append(new("Tick__Stays", "1")));
        await host.Signals.Entered.Wait();

        host.Stop();
        await host.Signals.Cancelled.Wait();
        Assert.False(host.Ended.IsCompleted);
        host.Signals.Leave.Set();

        Assert.Equal(0, await host.Ended);
        Assert.True(host.Signals.Left.IsSet);
    }

    [Fact]
    public async Task What_takes_longer_than_allowed_is_left_behind()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(
            ["--stop-seconds", "0"], environment: Daily.Append(new("Tick__Stays", "1")));
        await host.Signals.Entered.Wait();

        Assert.Equal(0, await host.StopAsync());
        Assert.False(host.Signals.Left.IsSet);
        host.Signals.Leave.Set();
    }

    [Fact]
    public async Task The_end_of_standard_input_stops_it_when_asked_to()
    {
        await using var parent = new AnonymousPipeServerStream(PipeDirection.Out);
        using var input = new StreamReader(
            new AnonymousPipeClientStream(PipeDirection.In, parent.ClientSafePipeHandle));
        await using var host = await RunningHost.StartAsync<SampleApp>(
            ["--exit-with-stdin"], environment: Daily, input: input);
        parent.WriteByte((byte)'\n');
        Assert.False(host.Ended.IsCompleted);

        await parent.DisposeAsync();

        Assert.Equal(0, await host.Ended);
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_its_request_and_no_other()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(environment: Daily);
        using var leave = new CancellationTokenSource();
        var request = host.Http.GetAsync(new Uri("api/stay", UriKind.Relative), leave.Token);
        await host.Signals.Entered.Wait();

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await host.Signals.Cancelled.Wait();
        host.Signals.Leave.Set();
        using var other = await host.Http.GetAsync(new Uri("api/settings/x", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }
}

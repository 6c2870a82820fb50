using System.Net;

namespace Outpost.Tests.Integration.LocalHost;

public sealed class A_worker_of_a_host
{
    [Fact]
    public async Task Is_started_again_when_it_dies_and_the_host_says_so()
    {
        await using var host = await HostProcess.StartAsync();

        using var last = await host.Http.PostAsync("api/dies", null);
        await host.LineAsync("The worker ended with exit code 7");
        await host.LineAsync("The worker answers again");

        Assert.Equal(HttpStatusCode.InternalServerError, last.StatusCode);
        Assert.Equal("none", await host.Http.GetStringAsync(new Uri("api/settings/x", UriKind.Relative)));
    }

    [Fact]
    public async Task That_is_killed_is_back_for_the_next_request_and_keeps_no_other_beside_it()
    {
        await using var host = await HostProcess.StartAsync();
        var before = Assert.Single(host.Workers());

        await host.SignalAsync("KILL", before);
        await host.LineAsync("The worker ended with exit code 137");

        Assert.Equal("none", await host.Http.GetStringAsync(new Uri("api/settings/x", UriKind.Relative)));
        Assert.NotEqual(before, Assert.Single(host.Workers()));
    }

    [Fact]
    public async Task That_cannot_be_started_again_is_tried_until_it_can()
    {
        var root = HostProcess.CopyOfSampleApp();
        var program = Path.Combine(root, "Outpost.Tests.SampleApp.dll");
        await using var host = await HostProcess.StartAsync(root: root);
        File.Move(program, $"{program}.away");

        using var last = await host.Http.PostAsync("api/dies", null);
        await host.LineAsync("before it was ready. The next try is in 0.5 s");
        File.Move($"{program}.away", program);

        await host.LineAsync("The worker answers again");
        Assert.Equal("none", await host.Http.GetStringAsync(new Uri("api/settings/x", UriKind.Relative)));
    }

    [Fact]
    public async Task Is_ended_when_a_run_takes_longer_than_functionTimeout()
    {
        var root = HostProcess.CopyOfSampleApp(("host.json", """{ "functionTimeout": "00:00:01" }"""));
        await using var host = await HostProcess.StartAsync(root: root);

        using var late = await host.Http.GetAsync(new Uri("api/stay", UriKind.Relative));
        await host.LineAsync("Stay took longer than functionTimeout allows (00:00:01)");
        await host.LineAsync("The worker answers again");

        Assert.Equal(HttpStatusCode.InternalServerError, late.StatusCode);
    }

    [Fact]
    public async Task Does_not_outlive_a_host_that_is_killed()
    {
        await using var host = await HostProcess.StartAsync();
        var worker = Assert.Single(host.Workers());

        await host.SignalAsync("KILL");
        await host.ExitAsync();

        for (var tries = 0; tries < 200 && Directory.Exists($"/proc/{worker}"); tries++) await Task.Delay(50);
        Assert.False(Directory.Exists($"/proc/{worker}"));
    }

    [Fact]
    public async Task Waits_for_a_debugger_where_asked_to()
    {
        await using var host = HostProcess.Begin(["--debug"]);

        var line = await host.LineAsync("waits for a debugger");

        Assert.Contains($"Process {Assert.Single(host.Workers())} ", line, StringComparison.Ordinal);
        Assert.Empty(host.Printed);
    }
}

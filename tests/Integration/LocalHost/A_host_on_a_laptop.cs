using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Outpost.Tests.Integration.LocalHost;

public sealed class A_host_on_a_laptop
{
    private static readonly Dictionary<string, string> Daily = new() { ["Tick__Schedule"] = "0 0 0 * * *" };

    [Fact]
    public async Task It_prints_its_functions_and_last_that_it_is_ready()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(environment: Daily);

        var root = $"http://127.0.0.1:{host.Address.Port}";
        Assert.Contains("laptops and tests", host.Printed[0], StringComparison.Ordinal);
        Assert.Equal(
            [
                $"Length: [POST,PUT] {root}/api/length (function key in Azure)",
                $"Setting: [GET] {root}/api/settings/{{name}}",
                $"Stay: [GET] {root}/api/Stay (admin key in Azure)",
                "Tick: timerTrigger 0 0 0 * * *",
                $"Ready: {root}",
            ],
            host.Printed.Skip(1));
        Assert.Equal(0, await host.StopAsync());
        Assert.Empty(host.Error);
    }

    [Fact]
    public async Task A_taken_port_is_said_in_one_line_with_an_exit_code_of_its_own()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        await using var host = await RunningHost.StartAsync<SampleApp>(["--port", $"{port}"], environment: Daily);

        Assert.Equal(2, await host.Ended);
        Assert.Contains($"Port {port}", OnlyLine(host.Error), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_the_app_refuses_is_said_in_one_line()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(
            environment: Daily,
            wire: _ => throw new OptionsValidationException("", typeof(string), ["A is 0;", "B is 1."]));

        Assert.Equal(1, await host.Ended);
        Assert.Equal("A is 0; B is 1.", OnlyLine(host.Error));
        Assert.Empty(host.Printed);
    }

    [Fact]
    public async Task A_missing_schedule_is_told_and_keeps_only_its_function_from_running()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>();

        Assert.Contains(host.Printed, line => line.Contains("%Tick__Schedule% (this setting is missing", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--prot", "Unknown option '--prot'")]
    [InlineData("--port", "--port needs a value")]
    [InlineData("--port 70000", "from 0 to 65535")]
    [InlineData("--root /no/such/folder", "there is no such folder")]
    public async Task A_wrong_option_is_said_in_one_line(string options, string expected)
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(options.Split(' '), environment: Daily);

        Assert.Equal(1, await host.Ended);
        Assert.Contains(expected, OnlyLine(host.Error), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_beyond_this_machine_is_refused()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(
            environment: Daily.Append(new("ASPNETCORE_URLS", "http://0.0.0.0:8080")));

        Assert.Equal(1, await host.Ended);
        Assert.Contains("127.0.0.1 only", OnlyLine(host.Error), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /api/settings/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 200)]
    [InlineData("GET /api/settings/x HTTP/1.1\r\nHost: outpost.example\r\n\r\n", 421)]
    [InlineData("GET /api/settings/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://outpost.example\r\n\r\n", 403)]
    [InlineData("HEAD /api/settings/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404)]
    public async Task Requests_are_guarded_and_routed(string request, int status)
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(environment: Daily);

        Assert.StartsWith($"HTTP/1.1 {status} ", await host.RawAsync(request), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1000, HttpStatusCode.OK)]
    [InlineData(1001, HttpStatusCode.RequestEntityTooLarge)]
    public async Task The_limit_for_bodies_is_the_setting_of_the_Functions_host(int length, HttpStatusCode expected)
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(
            environment: Daily.Append(new("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "1000")));

        using var answer = await host.Http.PostAsync("api/length", new ByteArrayContent(new byte[length]));

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? "1000" : "", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_disabled_function_is_listed_and_answers_404()
    {
        await using var host = await RunningHost.StartAsync<SampleApp>(
            environment: Daily.Append(new("AzureWebJobs.Setting.Disabled", "true")));

        using var answer = await host.Http.GetAsync(new Uri("api/settings/x", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("Setting: disabled", host.Printed);
    }

    private static string OnlyLine(string text) =>
        Assert.Single(text.Split('\n', StringSplitOptions.RemoveEmptyEntries)).TrimEnd();
}

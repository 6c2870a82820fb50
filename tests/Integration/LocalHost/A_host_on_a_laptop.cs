using System.Net;
using System.Net.Sockets;

namespace Outpost.Tests.Integration.LocalHost;

public sealed class A_host_on_a_laptop
{
    [Fact]
    public async Task It_prints_its_functions_and_last_that_it_is_ready()
    {
        await using var host = await HostProcess.StartAsync();

        var root = $"http://127.0.0.1:{host.Http.BaseAddress!.Port}";
        Assert.Contains("laptops and tests", host.Printed[0], StringComparison.Ordinal);
        Assert.Equal(
            [
                $"Action: [GET] {root}/api/action/{{number:int}} (function key in Azure)",
                $"Dies: [POST] {root}/api/dies (function key in Azure)",
                $"Header: [GET] {root}/api/headers/{{name}}",
                $"Length: [POST,PUT] {root}/api/length (function key in Azure)",
                $"Logs: [GET] {root}/api/logs/{{text}} (function key in Azure)",
                $"Setting: [GET] {root}/api/settings/{{name}}",
                $"Stay: [GET] {root}/api/stay (admin key in Azure)",
                $"Throws: [GET] {root}/api/throws (function key in Azure)",
                "Tick: timerTrigger 0 0 0 * * *",
                $"Ready: {root}",
            ],
            host.Printed.Skip(1));
        await host.SignalAsync("TERM");
        Assert.Equal(0, await host.ExitAsync());
    }

    [Fact]
    public async Task A_taken_port_is_said_in_one_line_with_an_exit_code_of_its_own()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var host = HostProcess.Begin(["--port", $"{port}"]);

        Assert.Equal(2, await host.ExitAsync());
        Assert.Contains($"Port {port}", Assert.Single(host.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_the_app_refuses_ends_it_with_the_app_s_own_line_and_exit_code()
    {
        await using var host = HostProcess.Begin(environment: new() { ["REFUSES_ITS_SETTINGS"] = "1" });

        Assert.Equal(3, await host.ExitAsync());
        Assert.Equal(
            ["REFUSES_ITS_SETTINGS is set; it must not be.", "The worker ended with exit code 3 before it was ready."], host.Errors);
        Assert.Empty(host.Printed);
    }

    [Fact]
    public async Task A_missing_schedule_is_told_and_keeps_only_its_function_from_running()
    {
        await using var host = await HostProcess.StartAsync(environment: new() { ["TICK_SCHEDULE"] = "" });

        Assert.Contains(host.Printed, line => line.Contains("%TICK_SCHEDULE% (this setting is missing", StringComparison.Ordinal));
        Assert.Equal("none", await host.Http.GetStringAsync(new Uri("api/settings/x", UriKind.Relative)));
    }

    [Theory]
    [InlineData("--prot", "Unknown option '--prot'")]
    [InlineData("--stop-seconds", "--stop-seconds needs a value")]
    [InlineData("--port 70000", "from 0 to 65535")]
    [InlineData("--root /no/such/folder", "there is no such folder")]
    [InlineData("--root /", "has no isolated Functions app in it")]
    public async Task A_wrong_option_is_said_in_one_line(string options, string expected)
    {
        await using var host = HostProcess.Begin(options.Split(' '));

        Assert.Equal(1, await host.ExitAsync());
        Assert.Contains(expected, Assert.Single(host.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_beyond_this_machine_is_refused()
    {
        await using var host = HostProcess.Begin(environment: new() { ["ASPNETCORE_URLS"] = "http://0.0.0.0:8080" });

        Assert.Equal(1, await host.ExitAsync());
        Assert.Contains("127.0.0.1 only", Assert.Single(host.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_are_guarded_and_routed()
    {
        await using var host = await HostProcess.StartAsync();
        (string Request, int Status)[] cases =
        [
            ("GET /api/settings/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
            ("GET /api/settings/x HTTP/1.1\r\nHost: outpost.example\r\n\r\n", 421),
            ("GET /api/settings/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://outpost.example\r\n\r\n", 403),
            ("OPTIONS /api/settings/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://outpost.example\r\n\r\n", 404),
            ("HEAD /api/settings/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("GET /api/action/seven HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("GET /api/action/7 HTTP/1.1\r\nHost: localhost\r\n\r\n", 202),
        ];

        foreach (var (request, status) in cases) Assert.Equal((request, $"HTTP/1.1 {status}"), (request, (await host.RawAsync(request))?[..12]));
    }

    [Theory]
    [InlineData(1000, HttpStatusCode.OK)]
    [InlineData(1001, HttpStatusCode.RequestEntityTooLarge)]
    public async Task The_limit_for_bodies_is_the_setting_of_the_Functions_host(int length, HttpStatusCode expected)
    {
        await using var host = await HostProcess.StartAsync(environment: new() { ["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] = "1000" });

        using var answer = await host.Http.PostAsync("api/length", new ByteArrayContent(new byte[length]));

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? "1000" : "", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_disabled_function_is_listed_and_answers_404()
    {
        await using var host = await HostProcess.StartAsync(environment: new() { ["AzureWebJobs.Setting.Disabled"] = "true" });

        using var answer = await host.Http.GetAsync(new Uri("api/settings/x", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("Setting: disabled", host.Printed);
    }

    [Fact]
    public async Task An_exception_is_a_500_and_what_a_run_logs_is_printed()
    {
        await using var host = await HostProcess.StartAsync();

        using var failed = await host.Http.GetAsync(new Uri("api/throws", UriKind.Relative));
        await host.Http.GetStringAsync(new Uri("api/logs/hello", UriKind.Relative));

        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        await host.LineAsync("Said inside a run: hello");
    }

    [Theory]
    [InlineData("""{ "telemetryMode": "OpenTelemetry" }""", "01")]
    [InlineData("{}", "00")]
    public async Task A_request_without_a_trace_gets_one_recorded_where_the_real_host_records_spans(string hostJson, string flags)
    {
        var root = HostProcess.CopyOfSampleApp(("host.json", hostJson));
        await using var host = await HostProcess.StartAsync(root: root);
        using var client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { BaseAddress = host.Http.BaseAddress };

        var first = await client.GetStringAsync(new Uri("api/headers/traceparent", UriKind.Relative));
        var second = await client.GetStringAsync(new Uri("api/headers/traceparent", UriKind.Relative));

        Assert.Matches($"^00-[0-9a-f]{{32}}-[0-9a-f]{{16}}-{flags}$", first);
        Assert.NotEqual(first[..35], second[..35]);
    }

    [Fact]
    public async Task Headers_and_limits_of_host_json_hold_for_every_request()
    {
        var root = HostProcess.CopyOfSampleApp(("host.json", """
            { "extensions": { "http": { "maxOutstandingRequests": 1, "customHeaders": { "X-Content-Type-Options": "nosniff" } } } }
            """));
        await using var host = await HostProcess.StartAsync(root: root);
        var first = host.Http.GetStringAsync(new Uri("api/stay", UriKind.Relative));
        await host.LineAsync("request entered");

        using var second = await host.Http.GetAsync(new Uri("api/settings/x", UriKind.Relative));
        host.LetGo();

        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.Equal("nosniff", Assert.Single(second.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("stayed", await first);
        using var third = await host.Http.GetAsync(new Uri("api/settings/x", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task A_worker_that_takes_no_HTTP_requests_itself_is_refused_in_one_line()
    {
        await using var host = HostProcess.Begin(environment: new() { ["BUILT_IN_HTTP"] = "1" });

        Assert.Equal(1, await host.ExitAsync());
        Assert.Contains("ConfigureFunctionsWebApplication", Assert.Single(host.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "Development")]
    [InlineData("Staging", "Staging")]
    public async Task The_app_s_environment_is_Development_unless_it_is_set(string set, string expected)
    {
        await using var host = await HostProcess.StartAsync(environment: new() { ["AZURE_FUNCTIONS_ENVIRONMENT"] = set });

        Assert.Equal(expected, await host.Http.GetStringAsync(new Uri("api/settings/AZURE_FUNCTIONS_ENVIRONMENT", UriKind.Relative)));
    }

    [Fact]
    public async Task A_caller_s_trace_goes_on_in_the_worker_as_it_came()
    {
        const string TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        await using var host = await HostProcess.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/headers/traceparent") { Headers = { { "traceparent", TraceParent } } };
        using var client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { BaseAddress = host.Http.BaseAddress };

        using var answer = await client.SendAsync(request);

        Assert.Equal(TraceParent, await answer.Content.ReadAsStringAsync());
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Outpost.Tests.EndToEnd;

/// <summary>`up`: what it prints, that it serves, and that it leaves nothing behind however it ends.</summary>
public sealed partial class DevUp
{
    private static readonly object Order =
        new { customerId = "c1", lines = new[] { new { sku = "a", quantity = 2, unitPrice = 9.5 } } };

    [Fact]
    public async Task Each_part_is_announced_when_it_is_there_and_SIGTERM_stops_all_of_them()
    {
        await using var up = DevProcess.Up();
        var address = await up.LineAsync("Ready: ");
        using var http = new HttpClient();

        var starts = new[] { "Tables: ", "Service Bus: ", "PlaceOrder: ", "Dashboard: http", "Ready: " };
        var places = starts
            .Select(start => up.Lines.ToList().FindIndex(line => line.StartsWith(start, StringComparison.Ordinal)));
        Assert.Equal(places.Order(), places);
        Assert.Contains("TableEndpoint=http://127.0.0.1:", await up.LineAsync("Tables: "), StringComparison.Ordinal);
        Assert.Contains("UseDevelopmentEmulator=true", await up.LineAsync("Service Bus: "), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync($"{address}/api/health")).StatusCode);

        await up.SignalAsync("TERM");

        Assert.Equal(0, await up.ExitCodeAsync());
        Assert.All(Ports(up), port => Assert.True(IsFree(port)));
    }

    [Fact]
    public async Task Killing_it_leaves_nothing_behind()
    {
        await using var up = DevProcess.Up("--no-build");
        await up.LineAsync("Ready: ");
        var ports = Ports(up);
        Assert.All(ports, port => Assert.False(IsFree(port)));

        await up.SignalAsync("KILL");

        for (var tries = 0; tries < 200 && !ports.All(IsFree); tries++) await Task.Delay(100);
        Assert.All(ports, port => Assert.True(IsFree(port)));
    }

    [Fact]
    public async Task With_a_data_folder_what_was_stored_is_there_again()
    {
        var data = Directory.CreateTempSubdirectory("outpost-e2e-").FullName;
        using var http = new HttpClient();
        string before;
        await using (var up = DevProcess.Up("--no-build", "--data", data))
        {
            var address = await up.LineAsync("Ready: ");
            using var placed = await http.PostAsJsonAsync($"{address}/api/orders", Order);
            Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
            before = await http.GetStringAsync($"{address}/api/events?offset=0");
        }

        await using (var up = DevProcess.Up("--no-build", "--data", data))
        {
            var address = await up.LineAsync("Ready: ");
            Assert.Equal(before, await http.GetStringAsync($"{address}/api/events?offset=0"));
        }

        Assert.Contains("OrderPlaced", before, StringComparison.Ordinal);
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task A_taken_port_is_named_with_the_option_that_changes_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var up = DevProcess.Start("up", "--port", "0", "--bus-port", "0", "--tables-port", $"{port}");

        Assert.Equal(1, await up.ExitCodeAsync());
        Assert.Equal($"Port {port} is taken: choose another with --tables-port (0 = any free one).", Assert.Single(up.Lines));
    }

    [Fact]
    public async Task A_data_folder_that_another_up_uses_is_refused_by_name()
    {
        var data = Directory.CreateTempSubdirectory("outpost-e2e-").FullName;
        await using var first = DevProcess.Up("--no-build", "--data", data);
        await first.LineAsync("Ready: ");
        await using var second = DevProcess.Up("--no-build", "--data", data);

        Assert.Equal(1, await second.ExitCodeAsync());
        Assert.Equal(
            $"--data {data} is in use by another up; stop that one, or name another folder.", Assert.Single(second.Lines));
        await first.SignalAsync("TERM");
        await first.ExitCodeAsync();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task A_data_folder_that_is_a_file_is_refused_by_name()
    {
        var file = Path.GetTempFileName();
        await using var up = DevProcess.Up("--no-build", "--data", file);

        Assert.Equal(1, await up.ExitCodeAsync());
        Assert.Equal($"--data {file} is a file; name a folder, or one that up may create.", Assert.Single(up.Lines));
        File.Delete(file);
    }

    [Theory]
    [InlineData("frobnicate", 1)]
    [InlineData("help", 0)]
    public async Task Other_words_are_answered(string command, int exitCode)
    {
        await using var dev = DevProcess.Start(command);

        Assert.Equal(exitCode, await dev.ExitCodeAsync());
        Assert.NotEmpty(dev.Lines);
    }

    private static List<int> Ports(DevProcess up) =>
    [
        .. up.Lines.Where(line => line.StartsWith("Tables: ", StringComparison.Ordinal)
                || line.StartsWith("Service Bus: ", StringComparison.Ordinal)
                || line.StartsWith("Ready: ", StringComparison.Ordinal))
            .Select(line => int.Parse(Port().Match(line).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)),
    ];

    private static bool IsFree(int port)
    {
        using var client = new TcpClient();
        try
        {
            client.Connect(IPAddress.Loopback, port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    [GeneratedRegex(@"127\.0\.0\.1:(\d+)")]
    private static partial Regex Port();
}

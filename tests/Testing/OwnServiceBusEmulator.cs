namespace Outpost.Tests.Testing;

/// <summary>
/// A Service Bus emulator of one test's own. It keeps its messages in a folder, so the test can kill it and start it again at the same
/// address. It has the topic <c>events</c> with the subscriptions of <c>infra/local</c>.
/// </summary>
internal sealed class OwnServiceBusEmulator : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("outpost-bus-").FullName;
    private ServiceBusEmulator.Running? _running;

    public string ConnectionString => _running!.ConnectionString;

    public static async Task<OwnServiceBusEmulator> StartAsync()
    {
        var emulator = new OwnServiceBusEmulator();
        await emulator.RunAsync();
        return emulator;
    }

    public async Task RunAsync() => _running = await ServiceBusEmulator.StartAsync(
        "--port", $"{_running?.Address.Port ?? 0}", "--data", _data, "--config", Path.Combine(ServiceBusEmulator.Folder, "servicebus.config.json"));

    public async Task KillAsync()
    {
        _running!.Process.Kill();
        await _running.Process.WaitForExitAsync();
        _running.Process.Dispose();
        _running.Http.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_data, recursive: true);
    }
}

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>
/// The services of an app, and a start that says what is missing instead of hanging: there is no Functions host
/// to talk to behind a stand-in. None of the app's hosted services runs.
/// </summary>
internal sealed class StandInHost(IHost inner) : IHost, IAsyncDisposable
{
    public IServiceProvider Services => inner.Services;

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        Console.Error.WriteLine("This build uses stand-ins for the Functions worker packages and cannot run as a "
            + "function app: `func start` needs the real packages; the way here is `dotnet run dev.cs up`.");
        Environment.ExitCode = 1;
        Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public void Dispose() => inner.Dispose();

    public async ValueTask DisposeAsync()
    {
        if (inner is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            inner.Dispose();
    }
}

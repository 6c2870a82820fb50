using System.Collections;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Outpost.LocalHost;

/// <summary>The whole life of the host, from its command line to its exit code.</summary>
internal static class LocalHostApp
{
    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        try
        {
            var options = LocalHostOptions.Parse(args);
            if (options.Help) await Console.Out.WriteLineAsync($"Usage: {LocalHostOptions.Usage}");
            else await RunAsync(options);
            return 0;
        }
        catch (StartException refused)
        {
            await Console.Error.WriteLineAsync(refused.Message);
            return refused.ExitCode;
        }
        catch (Exception fault)
        {
            await Console.Error.WriteLineAsync(fault.ToString());
            return StartException.Invalid;
        }
    }

    private static async Task RunAsync(LocalHostOptions options)
    {
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        if (options.ExitWithStdin) _ = StopAtEndOfInputAsync(stop);

        var command = WorkerCommand.Read(options.Root);
        var environment = new Dictionary<string, string>();
        var settings = HostSettings.Load(options.Root, ProcessEnvironment(), (name, value) => environment[name] = value);
        var routes = new TaskCompletionSource<IRouter>(TaskCreationOptions.RunContinuationsAsynchronously);
        var channels = new WorkerChannels();
        await using var front = LocalHostBuilder.BuildFront(options, settings, routes.Task);
        await using var back = LocalHostBuilder.BuildBack(settings, channels);
        await StartAsync(front, options.Port);
        await back.StartAsync();
        var address = Address(front);
        // Core Tools set these too: links that the app makes name this port, and the environment is not production.
        if (settings.GetValueOrDefault("WEBSITE_HOSTNAME") is not { Length: > 0 }) environment["WEBSITE_HOSTNAME"] = $"localhost:{address.Port}";
        if (settings.GetValueOrDefault("AZURE_FUNCTIONS_ENVIRONMENT") is not { Length: > 0 }) environment["AZURE_FUNCTIONS_ENVIRONMENT"] = "Development";
        environment["FUNCTIONS_APPLICATION_DIRECTORY"] = options.Root;

        var loggers = front.Services.GetRequiredService<ILoggerFactory>();
        using var worker = new WorkerSupervisor(command, channels, HostSettings.FunctionTimeout(front.Configuration), options.Debug, loggers);
        try
        {
            var session = await worker.StartAsync(Address(back), environment);
            routes.SetResult(LocalHostBuilder.Routes(front, session.Functions, worker));
            var timers = new TimerService(worker, Files(options, loggers), TimeProvider.System, loggers);
            timers.Start(
                session.Functions.Where(function => !HostSettings.IsDisabled(front.Configuration, function.Name)),
                front.Configuration,
                front.Lifetime.ApplicationStopping);
            await FunctionList.WriteAsync(Console.Out, session.Functions, front.Configuration, address);
            await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // No more requests come in. Requests and timer runs under way are told to stop, and may end.
            await front.StopAsync(CancellationToken.None);
            await timers.StopAsync(options.StopWithin);
        }
        finally
        {
            await worker.StopAsync();
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static async Task StartAsync(WebApplication front, int port)
    {
        try
        {
            await front.StartAsync();
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new StartException(
                $"Port {port} at {IPAddress.Loopback} is taken: choose another with --port (0 takes any free one).", StartException.PortTaken);
        }
    }

    private static TimerRecordFiles? Files(LocalHostOptions options, ILoggerFactory loggers) => options.Data is { } data
        ? new TimerRecordFiles(Path.Combine(data, "timers"), loggers.CreateLogger<TimerRecordFiles>())
        : null;

    private static Uri Address(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());

    private static IEnumerable<KeyValuePair<string, string>> ProcessEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""));

    // Console input has no true asynchronous read, so a thread of its own waits for it.
    private static Task StopAtEndOfInputAsync(CancellationTokenSource stop) => Task.Factory.StartNew(
        () =>
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
            }

            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The host has stopped already.
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}

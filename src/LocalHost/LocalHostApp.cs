using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Outpost.LocalHost;

/// <summary>The whole life of the host, from its command line to its exit code.</summary>
internal static class LocalHostApp
{
    private const StringSplitOptions Lines = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;

    public static async Task<int> RunAsync(IReadOnlyList<string> args, Surroundings surroundings)
    {
        try
        {
            var options = LocalHostOptions.Parse(args);
            if (options.Help)
                await surroundings.Out.WriteLineAsync($"Usage: {LocalHostOptions.Usage}");
            else
                await RunAsync(options, surroundings);
            return 0;
        }
        catch (StartException refused)
        {
            await surroundings.Error.WriteLineAsync(refused.Message);
            return refused.ExitCode;
        }
        catch (Exception fault)
        {
            await surroundings.Error.WriteLineAsync(fault.ToString());
            return StartException.Invalid;
        }
    }

    private static async Task RunAsync(LocalHostOptions options, Surroundings surroundings)
    {
        await using var app = await StartAsync(options, surroundings);
        var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
        using var stop = surroundings.Stop.Register(lifetime.StopApplication);
        if (options.ExitWithStdin)
            _ = StopAtEndOf(surroundings.In, lifetime);
        await app.WaitForShutdownAsync();
    }

    private static async Task<WebApplication> StartAsync(LocalHostOptions options, Surroundings surroundings)
    {
        WebApplication? app = null;
        var started = new StrongBox<bool>();
        try
        {
            var settings = HostSettings.Load(options.Root, surroundings.Environment(), surroundings.SetEnvironment);
            var functions = FunctionDiscovery.Find(surroundings.Functions);
            app = LocalHostBuilder.Build(options, settings, functions, surroundings, started);
            await app.StartAsync();
            started.Value = true;
            await FunctionList.WriteAsync(surroundings.Out, functions, app.Configuration, Address(app));
            return app;
        }
        catch (Exception failure)
        {
            if (app is not null)
                await app.DisposeAsync();
            throw Explain(failure, options.Port);
        }
    }

    private static Uri Address(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>()
            .Addresses.Single());

    // What the app refuses (settings, another log's table) gets one line; a fault in the code keeps its stack.
    private static Exception Explain(Exception failure, int port) => failure switch
    {
        StartException => failure,
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } => new StartException(
            $"Port {port} at {IPAddress.Loopback} is taken: choose another with --port (0 takes any free one).",
            StartException.PortTaken),
        OptionsValidationException invalid => new StartException(string.Join(" ", invalid.Failures)),
        SystemException and not (InvalidOperationException or ArgumentException or FormatException or IOException) =>
            failure,
        _ => new StartException(OneLine(failure.Message)),
    };

    private static string OneLine(string text) =>
        string.Join(' ', text.Split(['\r', '\n'], Lines));

    private static async Task StopAtEndOf(TextReader input, IHostApplicationLifetime lifetime)
    {
        // Console input has no true asynchronous read: a thread of its own waits.
        await Task.Factory.StartNew(
            () =>
            {
                while (input.Read() >= 0)
                {
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        lifetime.StopApplication();
    }
}

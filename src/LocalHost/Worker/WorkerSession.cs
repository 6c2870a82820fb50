using System.Diagnostics;
using Outpost.LocalHost.Protocol;

namespace Outpost.LocalHost;

/// <summary>A worker that is ready to run functions.</summary>
/// <param name="Channel">The channel to the worker.</param>
/// <param name="Process">The worker's process.</param>
/// <param name="HttpAddress">
/// Where the worker takes the HTTP requests that this host passes on; null: it has no HTTP functions.
/// </param>
/// <param name="Functions">The functions that the worker can run.</param>
internal sealed record WorkerSession(WorkerChannel Channel, Process Process, string? HttpAddress, IReadOnlyList<FunctionDefinition> Functions)
{
    /// <summary>Prepares a worker that has just been started, until it is ready.</summary>
    /// <exception cref="StartException">The worker cannot start, or cannot do what this host needs.</exception>
    /// <exception cref="WorkerEndedException">The worker ended.</exception>
    public static async Task<WorkerSession> OpenAsync(
        WorkerChannel channel, Process process, string root, CancellationToken cancellationToken)
    {
        if (await Task.WhenAny(channel.Connected, channel.Ended).WaitAsync(cancellationToken) == channel.Ended) throw new WorkerEndedException();
        var request = new WorkerInitRequest { HostVersion = "4.0.0.0", WorkerDirectory = root, FunctionAppDirectory = root };
        var initialized = (await channel.InitializeAsync(request, cancellationToken)).WorkerInitResponse;
        Check(initialized.Result, "start");
        var listed = (await channel.ListAsync(root, cancellationToken)).FunctionMetadataResponse;
        Check(listed.Result, "list its functions");
        if (listed.UseDefaultMetadataIndexing)
            throw new StartException("The worker leaves listing its functions to the host; this host needs a worker that lists them (Microsoft.Azure.Functions.Worker.Sdk 1.7 or later).");
        foreach (var loading in listed.FunctionMetadataResults.Select(function => (function.Name, Answer: channel.LoadAsync(function, cancellationToken))).ToList())
            Check((await loading.Answer).FunctionLoadResponse.Result, $"load the function '{loading.Name}'");
        var functions = listed.FunctionMetadataResults.Select(FunctionDefinition.From).OrderBy(function => function.Name, StringComparer.OrdinalIgnoreCase).ToList();
        var httpAddress = initialized.Capabilities.GetValueOrDefault("HttpUri");
        if (httpAddress is null && functions.Exists(function => function.Trigger is HttpFunctionTrigger))
        {
            throw new StartException(
                "The worker takes no HTTP requests itself; this host needs one that does (Microsoft.Azure.Functions.Worker.Extensions.Http.AspNetCore and ConfigureFunctionsWebApplication).");
        }

        return new WorkerSession(channel, process, httpAddress, functions);
    }

    private static void Check(StatusResult? result, string what)
    {
        if (result is not { Status: StatusResult.Types.Status.Success })
            throw new StartException($"The worker cannot {what}: {result?.Exception?.Message ?? result?.Result ?? "it gives no reason"}");
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Outpost.LocalHost;

/// <summary>
/// How to start an app's worker: as its <c>worker.config.json</c> says, with the arguments that the real host gives.
/// </summary>
internal sealed record WorkerCommand(string Root, string Executable, string Worker)
{
    private const int MessageBytesMax = int.MaxValue;

    /// <summary>
    /// Reads <c>worker.config.json</c>, which the Worker SDK writes into the folder of a built app. A build that skips
    /// the host's extensions writes none; then the folder's only program is the worker.
    /// </summary>
    /// <exception cref="StartException">The folder has neither, or the file is for another kind of worker.</exception>
    public static WorkerCommand Read(string root)
    {
        var path = Path.Combine(root, "worker.config.json");
        if (!File.Exists(path))
        {
            const string Mark = ".runtimeconfig.json";
            string[] programs = File.Exists(Path.Combine(root, "Microsoft.Azure.Functions.Worker.Core.dll")) ? Directory.GetFiles(root, "*" + Mark) : [];
            return programs is [var program]
                ? new WorkerCommand(root, "dotnet", Path.GetFileName(program)[..^Mark.Length] + ".dll")
                : throw new StartException($"{root} has no isolated Functions app in it: --root names the folder of a built one, such as bin/Debug/net10.0.");
        }

        try
        {
            using var file = JsonDocument.Parse(File.ReadAllText(path));
            var description = file.RootElement.GetProperty("description");
            if (description.GetProperty("language").GetString() != "dotnet-isolated")
                throw new StartException($"{path}: this host runs workers of the language 'dotnet-isolated' only.");
            var worker = description.GetProperty("defaultWorkerPath").GetString()!.Replace("{WorkerRoot}", "", StringComparison.Ordinal);
            return new WorkerCommand(root, description.GetProperty("defaultExecutablePath").GetString()!.Replace("{WorkerRoot}", "", StringComparison.Ordinal), worker);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new StartException($"{path} is not what the Worker SDK writes: {e.Message}");
        }
    }

    /// <param name="address">Where this host's gRPC server listens.</param>
    /// <param name="workerId">Id by which the worker names itself there.</param>
    /// <param name="environment">Settings that the worker gets as environment variables.</param>
    public ProcessStartInfo StartInfo(Uri address, string workerId, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var requestId = Guid.NewGuid().ToString();
        var isDotnet = Executable == "dotnet";
        // Prefers the dotnet that runs this host.
        var dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        var start = new ProcessStartInfo(isDotnet ? dotnet : Path.Combine(Root, Executable))
        {
            WorkingDirectory = Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (isDotnet) start.ArgumentList.Add(Path.Combine(Root, Worker));
        string[] arguments =
        [
            "--functions-uri", address.ToString(),
            "--functions-worker-id", workerId,
            "--functions-request-id", requestId,
            "--functions-grpc-max-message-length", MessageBytesMax.ToString(CultureInfo.InvariantCulture),
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var hooks = start.Environment.TryGetValue("DOTNET_STARTUP_HOOKS", out var others) && others is { Length: > 0 } ? $"{Path.PathSeparator}{others}" : "";
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(WorkerCommand).Assembly.Location + hooks;
        return start;
    }
}

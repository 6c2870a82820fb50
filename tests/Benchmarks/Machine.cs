using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using Azure.Core;
using Azure.Data.Tables;
using Azure.Messaging.ServiceBus;

namespace Outpost.Tests.Benchmarks;

/// <summary>What the figures were measured on and with: without it they mean nothing.</summary>
internal static class Machine
{
    public static async Task DescribeAsync(Figures figures)
    {
        figures.Set("date", DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9;
        figures.Set(
            "machine",
            $"{CpuModel()}, {Environment.ProcessorCount} cores, {memory:0} GB, {RuntimeInformation.OSDescription} "
            + $"{RuntimeInformation.OSArchitecture}");
        Assembly[] packages = [typeof(TableClient).Assembly, typeof(ServiceBusClient).Assembly, typeof(TokenCredential).Assembly];
        figures.Set("versions", string.Join(", ",
        [
            RuntimeInformation.FrameworkDescription,
            .. packages.Select(package => $"{package.GetName().Name} {Version(package)}"),
            $"Azurite {AzuriteVersion()}",
            $"Node.js {await NodeVersionAsync()}",
        ]));
        // infra/local/azurite.mjs, which all of this runs on, looks rows up by both keys; Azurite as published does not.
        figures.Set("azurite", "patched");
    }

    private static string Version(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? assembly.GetName().Version?.ToString(3) ?? "unknown";

    private static string CpuModel()
    {
        const string File = "/proc/cpuinfo";
        if (!System.IO.File.Exists(File))
            return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString();
        var line = System.IO.File.ReadLines(File).FirstOrDefault(each => each.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? "unknown processor";
    }

    private static string AzuriteVersion()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var package = Path.Combine(folder.FullName, "infra", "local", "node_modules", "azurite", "package.json");
            if (!File.Exists(package)) continue;
            using var json = JsonDocument.Parse(File.ReadAllText(package));
            return json.RootElement.GetProperty("version").GetString()!;
        }

        return "unknown";
    }

    private static async Task<string> NodeVersionAsync()
    {
        using var node = Process.Start(new ProcessStartInfo("node", ["--version"]) { RedirectStandardOutput = true })!;
        var version = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        return version.Trim().TrimStart('v');
    }
}

using System.Security.Cryptography;

namespace Outpost.Dev;

/// <summary>Keeps node_modules as package-lock.json says. A stamp inside holds the hash that it was installed from.</summary>
internal sealed class NodePackages(Shell shell)
{
    private const int OldestNode = 20;
    private static readonly TimeSpan InstallsWithin = TimeSpan.FromMinutes(10);

    public static bool AreInstalled(string folder) =>
        File.Exists(StampPath(folder)) && File.ReadAllText(StampPath(folder)) == HashOfLock(folder);

    public async Task EnsureNodeAsync()
    {
        var version = await shell.RunAsync("node", ["--version"], Environment.CurrentDirectory);
        var text = version.Lines.Count > 0 ? version.Lines[0] : "";
        if (MajorOf(text) < OldestNode)
        {
            throw new DevException($"Node.js {text} is too old: install {OldestNode} or newer (https://nodejs.org).");
        }
    }

    public async Task EnsureAsync(string folder)
    {
        if (AreInstalled(folder)) return;
        Console.WriteLine($"Installing the npm packages of {Path.GetFileName(folder)} (once).");
        var hash = HashOfLock(folder);
        var install = await shell.RunAsync(
            "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], folder, within: InstallsWithin);
        if (!install.Succeeded)
        {
            foreach (var line in install.Lines.TakeLast(20)) Console.Error.WriteLine(line);
            throw new DevException(
                $"npm ci failed in {folder}; the lines above say why (is the npm registry reachable? see .npmrc).");
        }

        await File.WriteAllTextAsync(StampPath(folder), hash);
    }

    internal static int MajorOf(string version) =>
        int.TryParse(version.TrimStart('v').Split('.')[0], out var major) ? major : 0;

    private static string StampPath(string folder) => Path.Combine(folder, "node_modules", ".installed-from");

    private static string HashOfLock(string folder) =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, "package-lock.json"))));
}

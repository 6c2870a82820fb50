namespace Outpost.Dev;

/// <summary>Says what this machine has and lacks. The exit code is 1 when something required is missing.</summary>
internal sealed class DoctorCommand(Repository repository, Shell shell)
{
    private int _missing;

    public async Task<int> RunAsync()
    {
        await VersionAsync("dotnet", major: 10, "install the .NET 10 SDK (https://dot.net)");
        await VersionAsync("node", major: 20, "install Node.js 20 or newer (https://nodejs.org)");
        await VersionAsync("npm", major: 1, "it comes with Node.js (https://nodejs.org)");
        var isInstalled = NodePackages.AreInstalled(repository.LocalServices);
        Report("npm packages", isInstalled ? "installed" : "not installed yet; up does it");
        foreach (var package in new[] { DebianPackage.RabbitMQ, DebianPackage.FakeTime }) Report(package.Title, package.Missing ?? "installed");
        foreach (var (option, port) in new UpOptions().Ports())
        {
            Report($"port {port}", LocalPorts.IsFree(port) ? "free" : $"taken; choose another with {option}");
        }

        return _missing == 0 ? 0 : 1;
    }

    private async Task VersionAsync(string program, int major, string advice)
    {
        try
        {
            var output = await shell.RunAsync(program, ["--version"], repository.Root);
            var version = output.Lines is [var first, ..] ? first : "";
            var isEnough = NodePackages.MajorOf(version) >= major;
            Report(program, isEnough ? version : $"{version} is too old: {advice}");
            if (!isEnough) _missing++;
        }
        catch (DevException)
        {
            Report(program, $"missing: {advice}");
            _missing++;
        }
    }

    private static void Report(string what, string text) => Console.WriteLine($"{what,-13} {text}");
}

namespace Outpost.Dev;

/// <summary>
/// A package of Debian's and Ubuntu's that some tests use. CI installs it; on a person's machine nothing is installed: the
/// last lines say what was left out, and how it would run.
/// </summary>
internal sealed record DebianPackage(string Name, string Title, string LeftOut, string Folder, string File)
{
    public static DebianPackage RabbitMQ { get; } = new("rabbitmq-server", "RabbitMQ", "The tests against RabbitMQ were skipped", "/usr/lib/rabbitmq/bin", "rabbitmq-server");

    public static DebianPackage FakeTime { get; } = new("libfaketime", "libfaketime", "The black box set no clock wrong", "/usr/lib", "*/faketime/libfaketimeMT.so.1");

    private static readonly TimeSpan InstallsWithin = TimeSpan.FromMinutes(5);

    /// <summary>Null: it is there.</summary>
    public string? Missing => IsInstalled ? null : $"{LeftOut}: {Title} is not installed (Debian and Ubuntu: apt-get install {Name}).";

    // File may begin with a folder of any name: Debian has one for each architecture.
    private bool IsInstalled => File.StartsWith("*/", StringComparison.Ordinal)
        ? Directory.Exists(Folder) && Directory.EnumerateDirectories(Folder).Any(each => System.IO.File.Exists(Path.Combine(each, File[2..])))
        : System.IO.File.Exists(Path.Combine(Folder, File));

    public async Task EnsureAsync(Shell shell)
    {
        if (Missing is null || Environment.GetEnvironmentVariable("CI") != "true" || !System.IO.File.Exists("/usr/bin/apt-get")) return;
        Console.WriteLine($"Installing {Title} for the tests (apt-get install {Name}).");
        string[] root = Environment.IsPrivilegedProcess ? [] : ["sudo", "-n"];
        foreach (var words in new string[][] { ["update"], ["install", "-y", "--no-install-recommends", Name] })
        {
            string[] command = [.. root, "apt-get", "-q", .. words];
            try
            {
                var run = await shell.RunAsync(command[0], command[1..], Environment.CurrentDirectory, within: InstallsWithin);
                if (!run.Succeeded) foreach (var line in run.Lines.TakeLast(5)) Console.Error.WriteLine(line);
            }
            catch (DevException problem)
            {
                // Neither root nor sudo.
                Console.Error.WriteLine(problem.Message);
            }
        }
    }
}

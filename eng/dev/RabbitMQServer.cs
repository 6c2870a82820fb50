namespace Outpost.Dev;

/// <summary>
/// The broker that some integration tests start. CI installs it from Debian's or Ubuntu's packages. On your machine
/// nothing is installed: the tests are skipped, and the last lines say how to run them.
/// </summary>
internal sealed class RabbitMQServer(Shell shell)
{
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    private static readonly TimeSpan InstallsWithin = TimeSpan.FromMinutes(5);

    /// <summary>Why the broker is missing; null: it is there.</summary>
    public static string? Missing => File.Exists(Program)
        ? null
        : "The tests against RabbitMQ were skipped: it is not installed (Debian and Ubuntu: apt-get install rabbitmq-server).";

    public async Task EnsureAsync()
    {
        if (Missing is null || Environment.GetEnvironmentVariable("CI") != "true" || !File.Exists("/usr/bin/apt-get")) return;
        Console.WriteLine("Installing RabbitMQ for the tests (apt-get install rabbitmq-server).");
        string[] root = Environment.IsPrivilegedProcess ? [] : ["sudo", "-n"];
        foreach (var words in new string[][] { ["update"], ["install", "-y", "--no-install-recommends", "rabbitmq-server"] })
        {
            string[] command = [.. root, "apt-get", "-q", .. words];
            try
            {
                var run = await shell.RunAsync(command[0], command[1..], Environment.CurrentDirectory, within: InstallsWithin);
                if (!run.Succeeded) foreach (var line in run.Lines.TakeLast(5)) Console.Error.WriteLine(line);
            }
            catch (DevException problem)
            {
                // This user is not root and has no sudo.
                Console.Error.WriteLine(problem.Message);
            }
        }
    }
}

using System.Security.Cryptography;
using System.Text;

namespace Outpost.Dev;

/// <summary>
/// Knows whether anything that a build reads has changed since the last build. It does not ask MSBuild, which takes seconds.
/// </summary>
internal sealed class BuildInputs(Repository repository, string project)
{
    private static readonly string[] Generated = ["bin", "obj", "node_modules"];

    private string StampPath => repository.PathOf("eng", "dev", "obj", $"inputs-of-{Path.GetFileName(project)}");

    public bool AreAsBuilt(string output) =>
        File.Exists(output) && File.Exists(StampPath) && File.ReadAllText(StampPath) == Describe();

    /// <summary>
    /// Reads the state of the inputs. Call it before the build, because a change during the build is not in it.
    /// </summary>
    public string Describe()
    {
        var text = new StringBuilder();
        var files = Directory.EnumerateFiles(repository.Root)
            .Concat(FilesBelow(repository.PathOf("src")))
            .Order(StringComparer.Ordinal);
        foreach (var file in files) text.Append($"{file} {File.GetLastWriteTimeUtc(file).Ticks}\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    public void Remember(string description) => File.WriteAllText(StampPath, description);

    private static IEnumerable<string> FilesBelow(string folder) => Directory.EnumerateFiles(folder).Concat(
        Directory.EnumerateDirectories(folder)
            .Where(each => !Generated.Contains(Path.GetFileName(each)))
            .SelectMany(FilesBelow));
}

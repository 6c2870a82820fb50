namespace Outpost.Dev;

/// <summary>The folder that all paths are relative to, and the lock that lets builds in it take turns.</summary>
internal sealed class Repository(string root)
{
    public const string Solution = "Functions.sln";

    public string Root => root;

    public string LocalServices => PathOf("infra", "local");

    public string Prose => PathOf("eng", "prose");

    public static Repository Find()
    {
        var started = (string?)AppContext.GetData("EntryPointFileDirectoryPath") ?? Environment.CurrentDirectory;
        for (var folder = started; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, Solution))) return new Repository(folder);
        }

        throw new DevException($"There is no {Solution} here or above: run this in the repository.");
    }

    public string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([root, .. parts]);

    /// <summary>
    /// Restores, builds and npm installs write to the same folders, so only one of them runs at a time, in whatever terminal.
    /// </summary>
    public async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        var path = PathOf("eng", "dev", "obj", "turn.lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (var waited = false; ; waited = true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                if (!waited) Console.WriteLine("Waiting for another build in this folder to end.");
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            }
        }
    }
}

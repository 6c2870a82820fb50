namespace Outpost.Dev;

/// <summary>
/// The folder where the local services keep their state: the one asked for, or one that is deleted when <c>up</c> ends.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private const string TemporaryStart = "outpost-up-";
    private const string InUse = "in-use";
    private readonly string _path;
    private readonly FileStream _inUse;
    private readonly bool _isTemporary;

    private DataFolder(string path, FileStream inUse, bool isTemporary) =>
        (_path, _inUse, _isTemporary) = (path, inUse, isTemporary);

    public static DataFolder Open(string? path)
    {
        if (path is not null) return Keep(path);
        RemoveLeftOvers();
        var temporary = Directory.CreateTempSubdirectory(TemporaryStart).FullName;
        return new DataFolder(temporary, Hold(temporary, FileMode.CreateNew), isTemporary: true);
    }

    private static DataFolder Keep(string path)
    {
        if (File.Exists(path)) throw new DevException($"--data {path} is a file; name a folder, or one that up may create.");
        try
        {
            var folder = Directory.CreateDirectory(path).FullName;
            return new DataFolder(folder, Hold(folder, FileMode.OpenOrCreate), isTemporary: false);
        }
        catch (UnauthorizedAccessException)
        {
            throw new DevException($"--data {path} may not be written to; name another folder.");
        }
        catch (IOException) when (Directory.Exists(path))
        {
            throw new DevException($"--data {path} is in use by another up; stop that one, or name another folder.");
        }
        catch (IOException problem)
        {
            throw new DevException($"--data {path} cannot be created: {problem.Message}");
        }
    }

    public string PathOf(string name) => Directory.CreateDirectory(Path.Combine(_path, name)).FullName;

    public void Dispose()
    {
        _inUse.Dispose();
        if (_isTemporary) Remove(_path);
    }

    /// <summary>Deletes folders that killed runs of `up` left behind, unless another run holds them.</summary>
    private static void RemoveLeftOvers()
    {
        foreach (var folder in Directory.GetDirectories(Path.GetTempPath(), TemporaryStart + "*"))
        {
            try
            {
                Hold(folder, FileMode.Open).Dispose();
                Remove(folder);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The folder is in use, or belongs to somebody else.
            }
        }
    }

    private static FileStream Hold(string folder, FileMode mode) =>
        new(Path.Combine(folder, InUse), mode, FileAccess.ReadWrite, FileShare.None);

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            Console.Error.WriteLine($"The temporary folder {folder} could not be removed.");
        }
    }
}

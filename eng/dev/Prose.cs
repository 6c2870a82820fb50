namespace Outpost.Dev;

/// <summary>Runs eng/prose, which checks the words of this repository, and passes on what it finds.</summary>
internal sealed class Prose(Repository repository, Shell shell)
{
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(2);

    public async Task<IReadOnlyList<string>> FindAsync(IEnumerable<string> files)
    {
        var folder = repository.Prose;
        var node = new NodePackages(shell);
        try
        {
            await node.EnsureNodeAsync();
            using var turn = await repository.TakeTurnAsync(shell.Stopped);
            await node.EnsureAsync(folder);
        }
        catch (DevException problem)
        {
            return [problem.Message];
        }

        var list = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(list, files);
            var check = await shell.RunAsync(
                "node", [Path.Combine(folder, "check.mjs"), list], repository.Root, within: Within);
            if (check.Succeeded) return [];
            return check.Lines.Count > 0 ? check.Lines : ["eng/prose/check.mjs failed without a word."];
        }
        finally
        {
            File.Delete(list);
        }
    }
}

using System.Xml.Linq;

namespace Outpost.Dev;

/// <summary>
/// Chooses between the real packages and their stand-ins, family by family, by asking this machine's feed: each
/// family is restored alone, so that a missing dependency is laid at the right door.
/// </summary>
internal sealed class Packages(Repository repository, Shell shell)
{
    private static readonly TimeSpan RestoresWithin = TimeSpan.FromMinutes(5);

    private string ListPath => repository.PathOf("Directory.Packages.props");

    private string ChoicePath => repository.PathOf("standins.local.props");

    /// <summary>The choice made before, if it still holds.</summary>
    public PackageChoice? Remembered() =>
        File.Exists(ChoicePath) ? PackageChoice.Read(File.ReadAllText(ChoicePath), File.ReadAllText(ListPath)) : null;

    /// <summary>Makes the choice if there is none; says so in one line when that is anything but real packages.</summary>
    public async Task ChooseAsync(bool again = false)
    {
        if (!Directory.Exists(repository.PathOf("standins")))
        {
            File.Delete(ChoicePath); // nothing to choose from
            return;
        }

        if (!again && Remembered() is not null) return;
        var answers = new Dictionary<string, FeedAnswer>();
        foreach (var family in PackageFamily.All)
        {
            answers[family.Name] = await AskFeedAsync(family);
            if (answers[family.Name] == FeedAnswer.Unreachable)
            {
                Console.WriteLine(
                    "The package feed cannot be reached; real packages and stand-ins stay as they are. Check the network and nuget.config.");
                return;
            }
        }

        var lacking = answers.Where(each => each.Value == FeedAnswer.Lacking).Select(each => each.Key);
        var choice = PackageChoice.Of(lacking, await File.ReadAllTextAsync(ListPath));
        await File.WriteAllTextAsync(ChoicePath, choice.Write());
        if (choice.StandIns.Count > 0 || again) Console.WriteLine($"Packages: {choice}.");
    }

    /// <summary>Restores a project of nothing but the family's packages, away from the real projects' files.</summary>
    private async Task<FeedAnswer> AskFeedAsync(PackageFamily family)
    {
        var folder = Directory.CreateDirectory(repository.PathOf("eng", "dev", "obj", "feed", family.Name)).FullName;
        var references = XDocument.Load(ListPath).Descendants("PackageVersion")
            .Select(each => each.Attribute("Include")?.Value ?? "")
            .Where(family.Has)
            .Select(id => $"<PackageReference Include=\"{id}\" />");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "Feed.csproj"),
            $"<Project Sdk=\"Microsoft.NET.Sdk\"><ItemGroup>{string.Concat(references)}</ItemGroup></Project>");
        var restore = await shell.RunAsync(
            "dotnet", ["restore", "-p:StandIns=", "-p:TreatWarningsAsErrors=false", "-nodeReuse:false"], folder, within: RestoresWithin);
        var answer = RestoreOutput.Read(restore.Succeeded, restore.Lines);
        if (answer == FeedAnswer.Failed)
        {
            foreach (var line in restore.Lines) Console.Error.WriteLine(line);
            throw new DevException($"Restoring the packages of {family.Name} failed; the messages above say why.");
        }

        return answer;
    }
}

using System.Reflection;

namespace Outpost.Tests.Unit.StandIns;

/// <summary>
/// Holds what the project compiles against, real package or stand-in, to <c>Surface/{assembly}.txt</c>: the members of
/// the real package that may be used, written down by hand. Whoever uses another one adds its line there, and to the
/// stand-in. With a stand-in the list is also the limit; a real package may of course have more.
/// </summary>
public class SurfaceTests
{
    public static TheoryData<string> Assemblies =>
        [.. Directory.GetFiles(Folder(), "*.txt").Select(path => Path.GetFileNameWithoutExtension(path)).Order()];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_listed_member_exists_with_that_signature(string assembly)
    {
        var types = Types(assembly);

        var missing = Listed(assembly)
            .GroupBy(line => line[..line.IndexOf(':', StringComparison.Ordinal)])
            .SelectMany(lines => lines.Except(types.TryGetValue(lines.Key, out var type) ? Surface.Of(type) : []));

        Assert.Equal([], missing);
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void A_stand_in_has_no_public_member_that_is_not_listed(string assembly)
    {
        var loaded = Assembly.Load(assembly);
        if (!IsStandIn(loaded))
            return;

        var unlisted = loaded.GetTypes().Where(Surface.IsVisible).SelectMany(Surface.Of).Except(Listed(assembly));

        Assert.Equal([], unlisted);
    }

    private static bool IsStandIn(Assembly assembly) =>
        assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Any(it => it is { Key: "StandIn", Value: "true" });

    private static List<string> Listed(string assembly) => File.ReadAllLines(Path.Combine(Folder(), assembly + ".txt"))
        .Where(line => line.Length > 0 && !line.StartsWith('#'))
        .ToList();

    /// <summary>
    /// The visible types by name. Real packages spread over several assemblies what a stand-in has in one, so those
    /// that the assembly refers to count as well.
    /// </summary>
    private static Dictionary<string, Type> Types(string assembly)
    {
        var family = assembly[..assembly.LastIndexOf('.')];
        var loaded = Assembly.Load(assembly);
        var related = loaded.GetReferencedAssemblies()
            .Where(name => name.Name!.StartsWith(family, StringComparison.Ordinal))
            .Select(Assembly.Load);
        return related.Prepend(loaded)
            .SelectMany(one => one.GetExportedTypes())
            .GroupBy(TypeNames.Full)
            .ToDictionary(types => types.Key, types => types.First());
    }

    private static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Functions.sln")))
                return Path.Combine(folder.FullName, "tests", "Unit", "StandIns", "Surface");
        }
        throw new InvalidOperationException($"No folder with Functions.sln above {AppContext.BaseDirectory}.");
    }
}

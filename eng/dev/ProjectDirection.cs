using System.Xml.Linq;

namespace Outpost.Dev;

/// <summary>
/// Checks that references point inwards (hosts → adapters → Outpost → nothing), and that Outpost references no Azure
/// package.
/// </summary>
internal static class ProjectDirection
{
    /// <summary>What each project below src may reference. A new project has to be added here on purpose.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Outpost"] = [],
        ["Outpost.Client"] = [],
        ["Outpost.Client.Kafka"] = ["Outpost.Client"],
        ["Outpost.Client.RabbitMQ"] = ["Outpost.Client"],
        ["Outpost.Client.ServiceBus"] = ["Outpost.Client"],
        ["Outpost.Client.Tables"] = ["Outpost.Client"],
        ["Outpost.Testing"] = ["Outpost"],
        ["Outpost.Tables"] = ["Outpost"],
        ["Outpost.ServiceBus"] = ["Outpost"],
        ["Outpost.RabbitMQ"] = ["Outpost"],
        ["Outpost.Kafka"] = ["Outpost"],
        ["Outpost.AspNetCore"] = ["Outpost", "Outpost.Tables"],
        ["Outpost.AzureFunctions"] = ["Outpost", "Outpost.AspNetCore"],
        ["Orders"] = ["Outpost"],
        ["Functions"] = ["Outpost", "Outpost.AzureFunctions", "Outpost.ServiceBus", "Outpost.RabbitMQ", "Outpost.Kafka", "Orders"],
        ["Shipping"] = ["Outpost.AzureFunctions", "Outpost.Client.ServiceBus", "Outpost.Client.Tables"],
        ["LocalHost"] = [],
        ["Outpost.Cli"] = ["LocalHost", "Outpost.Tables"],
        ["Outpost.Templates"] = [],
    };

    /// <summary>Projects that must run without any Azure package.</summary>
    private static readonly string[] AzureFree = ["Outpost", "Outpost.Testing", "Outpost.Client", "Outpost.Client.Kafka", "Outpost.Client.RabbitMQ", "Outpost.RabbitMQ", "Orders"];

    /// <summary>Projects that may reference the Functions worker.</summary>
    private static readonly string[] WorkerHosts = ["Functions", "Shipping", "Outpost.AzureFunctions"];

    /// <summary>
    /// Looks for projects beside the sources only, because the Worker SDK writes a project of its own below obj.
    /// </summary>
    public static IReadOnlyList<string> Find(string root) =>
    [
        .. Directory.EnumerateDirectories(Path.Combine(root, "src")).Order()
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj"))
            .SelectMany(file => Problems(Path.GetFileNameWithoutExtension(file), XDocument.Load(file))),
    ];

    internal static IEnumerable<string> Problems(string project, XDocument content)
    {
        if (!Allowed.TryGetValue(project, out var allowed))
        {
            yield return $"src/{project} is not in {nameof(ProjectDirection)}.cs: say there what it may reference.";
            yield break;
        }

        foreach (var reference in Includes(content, "ProjectReference"))
        {
            var name = Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'));
            if (!allowed.Contains(name)) yield return $"src/{project} must not reference {name}.";
        }

        foreach (var package in Includes(content, "PackageReference").Where(IsAzure))
        {
            if (AzureFree.Contains(project) || (IsWorker(package) && !WorkerHosts.Contains(project))) yield return $"src/{project} must not reference the package {package}.";
        }
    }

    private static bool IsWorker(string package) => package.StartsWith("Microsoft.Azure.Functions.", StringComparison.Ordinal);

    private static bool IsAzure(string package) =>
        package.StartsWith("Azure.", StringComparison.Ordinal)
        || package.StartsWith("Microsoft.Azure.", StringComparison.Ordinal);

    private static IEnumerable<string> Includes(XDocument content, string item) =>
        content.Descendants(item).Select(each => each.Attribute("Include")?.Value).OfType<string>();
}

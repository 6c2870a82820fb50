namespace Outpost.Dev;

/// <summary>A name on the command line, and what it runs: a test project, Node tests, or both.</summary>
internal sealed record TestGroup(string Name, string Project, string[]? NodeTests = null, bool NeedsNode = true, bool NeedsBrowser = false, DebianPackage[]? Uses = null)
{
    public static IReadOnlyList<TestGroup> All { get; } =
    [
        new("unit", "Unit", NeedsNode: false),
        new("simulation", "Simulation", NeedsNode: false),
        new("integration", "Integration", NodeTests: ["emulator", "infra", "prose"], Uses: [DebianPackage.RabbitMQ]),
        new("e2e", "EndToEnd", Uses: [DebianPackage.RabbitMQ, DebianPackage.FakeTime]),
        new("browser", "Browser", NodeTests: ["."], NeedsBrowser: true),
    ];

    /// <summary>The groups that are named first, and the arguments after them, which are for dotnet test.</summary>
    public static (IReadOnlyList<TestGroup> Groups, IReadOnlyList<string> ForDotnetTest) Parse(
        IReadOnlyList<string> arguments)
    {
        var names = arguments.TakeWhile(each => !each.StartsWith('-')).ToArray();
        var unknown = names.FirstOrDefault(name => All.All(group => group.Name != name));
        if (unknown is not null)
        {
            var known = string.Join(", ", All.Select(group => group.Name));
            throw new DevException($"There is no group {unknown}, but {known}.");
        }

        IReadOnlyList<TestGroup> groups = names.Length == 0 ? All : [.. All.Where(group => names.Contains(group.Name))];
        return (groups, [.. arguments.Skip(names.Length).SkipWhile(each => each == "--")]);
    }
}

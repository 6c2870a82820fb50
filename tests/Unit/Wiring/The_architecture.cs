using System.Xml.Linq;

namespace Outpost.Tests.Unit.Wiring;

/// <summary>References point inwards: hosts, then adapters, then the log's rules, then nothing.</summary>
public sealed class The_architecture
{
    [Theory]
    [InlineData("Outpost", "")]
    [InlineData("Orders", "Outpost")]
    [InlineData("Outpost.Tables", "Outpost")]
    [InlineData("Outpost.ServiceBus", "Outpost")]
    [InlineData("Outpost.RabbitMQ", "Outpost")]
    [InlineData("Outpost.Kafka", "Outpost")]
    [InlineData("Outpost.AspNetCore", "Outpost Outpost.Tables")]
    [InlineData("Outpost.AzureFunctions", "Outpost Outpost.AspNetCore")]
    [InlineData("Outpost.Client", "")]
    [InlineData("Outpost.Client.Kafka", "Outpost.Client")]
    [InlineData("Outpost.Client.RabbitMQ", "Outpost.Client")]
    [InlineData("Outpost.Client.ServiceBus", "Outpost.Client")]
    [InlineData("Outpost.Client.Tables", "Outpost.Client")]
    [InlineData("Outpost.Testing", "Outpost")]
    [InlineData("Functions", "Orders Outpost.AzureFunctions Outpost.Kafka Outpost.RabbitMQ Outpost.ServiceBus")]
    [InlineData("Shipping", "Outpost.AzureFunctions Outpost.Client.ServiceBus Outpost.Client.Tables")]
    [InlineData("LocalHost", "")]
    public void Lets_a_project_reference_only_what_is_further_in(string project, string allowed) =>
        Assert.Subset(
            allowed.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(),
            References(project, "ProjectReference").Select(Path.GetFileNameWithoutExtension).OfType<string>().ToHashSet());

    [Fact]
    public void Has_no_project_that_this_test_does_not_know() =>
        Assert.Subset(
            new HashSet<string> { "Outpost", "Orders", "Outpost.Tables", "Outpost.ServiceBus", "Outpost.RabbitMQ", "Outpost.Kafka", "Outpost.AspNetCore", "Outpost.AzureFunctions", "Outpost.Client", "Outpost.Client.Kafka", "Outpost.Client.RabbitMQ", "Outpost.Client.ServiceBus", "Outpost.Client.Tables", "Outpost.Cli", "Outpost.Templates", "Outpost.Testing", "Functions", "Shipping", "LocalHost", "Shared" },
            Directory.GetDirectories(Source()).Select(Path.GetFileName).OfType<string>().ToHashSet());

    [Theory]
    [InlineData("Outpost")]
    [InlineData("Outpost.Client")]
    [InlineData("Outpost.Client.Kafka")]
    [InlineData("Outpost.Client.RabbitMQ")]
    [InlineData("Outpost.Testing")]
    [InlineData("Orders")]
    [InlineData("Outpost.RabbitMQ")]
    public void Keeps_Azure_out_of_the_rules(string project) =>
        Assert.DoesNotContain(
            References(project, "PackageReference"), package => package.Contains("Azure", StringComparison.OrdinalIgnoreCase));

    [Theory]
    [InlineData("Outpost.Tables", "Azure.Messaging")]
    [InlineData("Outpost.Tables", "Functions.Worker")]
    [InlineData("Outpost.ServiceBus", "Azure.Data")]
    [InlineData("Outpost.ServiceBus", "Functions.Worker")]
    [InlineData("Outpost.Kafka", "Azure.Messaging")]
    [InlineData("Outpost.Kafka", "Functions.Worker")]
    public void Keeps_each_service_in_its_own_adapter(string project, string package) =>
        Assert.DoesNotContain(References(project, "PackageReference"), reference => reference.Contains(package, StringComparison.Ordinal));

    [Theory]
    [InlineData("Outpost")]
    [InlineData("Orders")]
    [InlineData("Outpost.Tables")]
    [InlineData("Outpost.ServiceBus")]
    [InlineData("Outpost.RabbitMQ")]
    [InlineData("Outpost.Kafka")]
    [InlineData("Outpost.AspNetCore")]
    [InlineData("Outpost.Client")]
    [InlineData("Outpost.Client.Kafka")]
    [InlineData("Outpost.Client.RabbitMQ")]
    [InlineData("Outpost.Client.ServiceBus")]
    public void Bans_clocks_ids_and_randomness_that_are_not_arguments(string project)
    {
        Assert.Contains("Microsoft.CodeAnalysis.BannedApiAnalyzers", References(project, "PackageReference"));
        Assert.Contains(References(project, "AdditionalFiles"), file => file.EndsWith("BannedSymbols.txt", StringComparison.Ordinal));
    }

    private static List<string> References(string project, string kind) =>
        [.. XDocument.Load(Path.Combine(Source(), project, $"{project}.csproj")).Descendants(kind).Select(item => (string)item.Attribute("Include")!)];

    private static string Source()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Functions.sln"))) return Path.Combine(folder, "src");
        }

        throw new InvalidOperationException("The tests do not run below the repository.");
    }
}

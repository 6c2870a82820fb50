using System.Xml.Linq;
using Outpost.Dev;

namespace Outpost.Tests.Unit.Dev;

/// <summary>What <c>check</c> finds, and what it leaves alone.</summary>
public sealed class RepositoryRules
{
    private static readonly string[] Own = ["/checkouts/outpost"];

    [Theory]
    [InlineData("see /checkouts/outpost/src")]
    [InlineData("\"file\": \"/ho" + "me/ada/outpost\"")]
    [InlineData("C:\\Us" + "ers\\ada\\outpost")]
    [InlineData("\"resolved\": \"https://regi" + "stry.example.com/rhea/-/rhea-3.0.5.tgz\"")]
    [InlineData("<add key=\"f\" value=\"https://nu" + "get.example.com/v3/index.json\" />")]
    public void A_trace_of_one_machine_is_found(string line) => Assert.Single(Traces.InLine(line, Own));

    [Theory]
    [InlineData("https://learn.microsoft.com/nuget/reference")]
    [InlineData("GET http://127.0.0.1:7071/api/events")]
    [InlineData("src/Functions/home/index.html")]
    public void Public_pages_and_local_addresses_are_no_traces(string line) => Assert.Empty(Traces.InLine(line, Own));

    [Theory]
    [InlineData("Outpost", """<ProjectReference Include="../Outpost.Tables/Outpost.Tables.csproj" />""")]
    [InlineData("Outpost", """<PackageReference Include="Azure.Core" />""")]
    [InlineData("Outpost.Tables", """<ProjectReference Include="..\Outpost.ServiceBus\Outpost.ServiceBus.csproj" />""")]
    [InlineData("Outpost.AspNetCore", """<PackageReference Include="Microsoft.Azure.Functions.Worker" />""")]
    [InlineData("Outpost.Novel", "")]
    public void A_reference_that_points_outwards_is_found(string project, string item) => Assert.Single(Find(project, item));

    [Theory]
    [InlineData("Outpost.Tables", """<PackageReference Include="Azure.Data.Tables" />""")]
    [InlineData("Functions", """<ProjectReference Include="../Outpost.AzureFunctions/Outpost.AzureFunctions.csproj" />""")]
    [InlineData("Outpost.AzureFunctions", """<PackageReference Include="Microsoft.Azure.Functions.Worker" />""")]
    public void A_reference_that_points_inwards_is_fine(string project, string item) => Assert.Empty(Find(project, item));

    private static IEnumerable<string> Find(string project, string item) =>
        ProjectDirection.Problems(project, XDocument.Parse($"<Project><ItemGroup>{item}</ItemGroup></Project>"));
}

using Outpost.Dev;

namespace Outpost.Tests.Unit.Dev;

/// <summary>What dev.cs makes of a restore's output, and how it remembers it.</summary>
public sealed class PackagesOrStandIns
{
    private const string List = """<PackageVersion Include="Azure.Data.Tables" Version="[12.11.0]" />""";

    [Theory]
    [InlineData("/r/Feed.csproj : error NU1101: Unable to find package Azure.Data.Tables. No packages exist with this id in source(s): feed")]
    [InlineData("/r/Feed.csproj : error NU1102: Unable to find package Microsoft.Azure.Functions.Worker with version (= 2.52.0)")]
    [InlineData("/r/Feed.csproj : error NU1103: Unable to find a stable package Azure.Data.Tables with version (= 12.11.0)")]
    public void A_package_or_version_the_feed_lacks_makes_the_family_a_stand_in(string line) =>
        Assert.Equal(FeedAnswer.Lacking, RestoreOutput.Read(succeeded: false, ["  Determining projects to restore...", line]));

    [Fact]
    public void Another_version_taken_instead_is_lacking_too_although_the_restore_succeeds() => Assert.Equal(
        FeedAnswer.Lacking,
        RestoreOutput.Read(succeeded: true, ["warning NU1603: Feed depends on A (>= 2.52.0) but A 2.52.0 was not found. A 2.52.1 was resolved instead."]));

    [Fact]
    public void A_family_partly_there_is_lacking() => Assert.Equal(
        FeedAnswer.Lacking,
        RestoreOutput.Read(succeeded: false, ["error NU1102: Microsoft.Azure.Functions.Worker", "Restored Microsoft.Azure.Functions.Worker.Core"]));

    [Theory]
    [InlineData("error NU1301: Unable to load the service index for source feed.")]
    [InlineData("error NU1301: Failed to retrieve information about 'Azure.Core'.\nerror NU1101: Unable to find package Azure.Data.Tables.")]
    public void A_feed_that_does_not_answer_decides_nothing(string output) =>
        Assert.Equal(FeedAnswer.Unreachable, RestoreOutput.Read(succeeded: false, output.Split('\n')));

    [Fact]
    public void What_is_in_the_local_cache_needs_no_feed() =>
        Assert.Equal(FeedAnswer.Complete, RestoreOutput.Read(succeeded: true, ["warning NU1301: Unable to load the service index."]));

    [Fact]
    public void Any_other_failure_is_a_failure() =>
        Assert.Equal(FeedAnswer.Failed, RestoreOutput.Read(succeeded: false, ["error NU1605: Detected package downgrade"]));

    [Theory]
    [InlineData()]
    [InlineData("Tables")]
    [InlineData("Tables", "ServiceBus", "Worker")]
    public void A_choice_is_remembered(params string[] standIns)
    {
        var file = PackageChoice.Of(standIns, List).Write();

        Assert.Equal(standIns, PackageChoice.Read(file, List)?.StandIns);
    }

    [Fact]
    public void A_choice_ends_when_the_packages_or_the_file_change()
    {
        var file = PackageChoice.Of(["Tables", "Worker"], List).Write();

        Assert.Null(PackageChoice.Read(file, List.Replace("12.11.0", "12.12.0", StringComparison.Ordinal)));
        Assert.Null(PackageChoice.Read(file.Replace(";Worker", "", StringComparison.Ordinal), List));
        Assert.Null(PackageChoice.Read("<Project><PropertyGroup><StandIns>Tables</StandIns></PropertyGroup></Project>", List));
    }

    [Fact]
    public void The_file_is_one_MSBuild_reads()
    {
        var file = System.Xml.Linq.XDocument.Parse(PackageChoice.Of(["Tables", "Worker"], List).Write());

        Assert.Equal("Tables;Worker", file.Descendants("StandIns").Single().Value);
    }
}

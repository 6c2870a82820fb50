using Outpost.Dev;

namespace Outpost.Tests.Unit.Dev;

public sealed class BenchArguments
{
    [Fact]
    public void Without_any_all_groups_run_in_full() => Assert.Empty(BenchOptions.Parse([]).Arguments());

    [Fact]
    public void The_file_is_relative_to_where_the_command_is_typed()
    {
        var options = BenchOptions.Parse(["--quick", "--json=figures.json", "--only", "commit"]);

        string[] expected =
            ["--quick", "--json", Path.Combine(Environment.CurrentDirectory, "figures.json"), "--only", "commit"];
        Assert.Equal(expected, options.Arguments());
    }

    [Theory]
    [InlineData("--json")]
    [InlineData("--json=")]
    [InlineData("--json", "--quick")]
    [InlineData("--only")]
    [InlineData("--fast")]
    [InlineData("commit")]
    public void What_is_not_understood_is_refused_by_name(params string[] arguments)
    {
        var problem = Assert.Throws<DevException>(() => BenchOptions.Parse(arguments));

        Assert.Contains(arguments[0].Split('=')[0], problem.Message, StringComparison.Ordinal);
    }
}

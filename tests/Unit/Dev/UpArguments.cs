using Outpost.Dev;

namespace Outpost.Tests.Unit.Dev;

public sealed class UpArguments
{
    [Fact]
    public void Without_any_the_documented_ports_and_one_partition_are_taken() => Assert.Equal(
        new UpOptions(), UpOptions.Parse(["--port", "7071", "--tables-port=10002", "--bus-port", "5672", "--partitions", "1"]));

    [Fact]
    public void A_data_folder_is_relative_to_where_the_command_is_typed() =>
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "state"), UpOptions.Parse(["--data", "state"]).Data);

    [Fact]
    public void The_second_service_is_asked_for_by_name()
    {
        IReadOnlyList<string> with = ["--port", "0", "--with", "shipping"];
        IReadOnlyList<string> without = ["--port", "0"];
        IReadOnlyList<string> other = ["--with=billing"];

        Assert.True(UpCommand.TakeWith(ref with));
        Assert.Equal(without, with);
        Assert.False(UpCommand.TakeWith(ref without));
        Assert.Equal("--with billing: shipping is wanted, there is no other.", Assert.Throws<DevException>(() => UpCommand.TakeWith(ref other)).Message);
    }

    [Theory]
    [InlineData("--port", "65536")]
    [InlineData("--port", "x")]
    [InlineData("--partitions", "0")]
    [InlineData("--data")]
    [InlineData("--watch")]
    public void What_is_not_understood_is_refused_by_name(params string[] arguments)
    {
        var problem = Assert.Throws<DevException>(() => UpOptions.Parse(arguments));

        Assert.Contains(arguments[0], problem.Message, StringComparison.Ordinal);
    }
}

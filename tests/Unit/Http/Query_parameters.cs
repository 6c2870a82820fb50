using Outpost.AspNetCore;
using static Outpost.Tests.Unit.Http.Asking;

namespace Outpost.Tests.Unit.Http;

public sealed class Query_parameters
{
    [Fact]
    public void Have_defaults()
    {
        var query = Read("");

        Assert.Equal((0, 0L, false, 100, TimeSpan.Zero), (query!.Partition, query.Offset, query.Latest, query.Limit, query.Wait));
        Assert.Null(query.Types);
    }

    [Fact]
    public void Are_read()
    {
        var query = Read("?offset=41&limit=1000&partition=3&wait=25&types=A,B", partitions: 4);

        Assert.Equal((3, 41L, 1000, TimeSpan.FromSeconds(25)), (query!.Partition, query.Offset, query.Limit, query.Wait));
        Assert.Equal(["A", "B"], query.Types!.Order());
    }

    [Theory]
    [InlineData("?offset=earliest", null, false)]
    [InlineData("?offset=latest", null, true)]
    [InlineData("?offset=9223372036854775807", long.MaxValue, false)]
    [InlineData("?code=a&code=b&clientId=default", 0L, false)]
    public void Say_where_to_start(string text, long? offset, bool latest)
    {
        var query = Read(text);

        Assert.Equal((offset, latest), (query!.Offset, query.Latest));
    }

    [Theory]
    [InlineData("?offset=", "offset: '' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=-1", "offset: '-1' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=%2B1", "offset: '+1' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=1.0", "offset: '1.0' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=%201", "offset: ' 1' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=Latest", "offset: 'Latest' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=9223372036854775808", "offset: '9223372036854775808' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=%D9%A1", "offset: '١' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=5%00", "offset: '5\0' is not allowed; a whole number from 0 on, earliest or latest is.")]
    [InlineData("?offset=1&offset=2", "offset: came 2 times; once is allowed.")]
    [InlineData("?offset=1&offset=1", "offset: came 2 times; once is allowed.")]
    [InlineData("?limit=", "limit: '' is not allowed; a whole number from 1 to 1000 is.")]
    [InlineData("?limit=0", "limit: '0' is not allowed; a whole number from 1 to 1000 is.")]
    [InlineData("?limit=1001", "limit: '1001' is not allowed; a whole number from 1 to 1000 is.")]
    [InlineData("?limit=99999999999999999999", "limit: '99999999999999999999' is not allowed; a whole number from 1 to 1000 is.")]
    [InlineData("?limit=ten", "limit: 'ten' is not allowed; a whole number from 1 to 1000 is.")]
    [InlineData("?limit=5%00", "limit: '5\0' is not allowed; a whole number from 1 to 1000 is.")]
    [InlineData("?limit=1&limit=2", "limit: came 2 times; once is allowed.")]
    [InlineData("?wait=", "wait: '' is not allowed; a whole number of seconds from 0 to 25 is.")]
    [InlineData("?wait=-1", "wait: '-1' is not allowed; a whole number of seconds from 0 to 25 is.")]
    [InlineData("?wait=26", "wait: '26' is not allowed; a whole number of seconds from 0 to 25 is.")]
    [InlineData("?wait=1.5", "wait: '1.5' is not allowed; a whole number of seconds from 0 to 25 is.")]
    [InlineData("?wait=5%00", "wait: '5\0' is not allowed; a whole number of seconds from 0 to 25 is.")]
    [InlineData("?wait=1&wait=1", "wait: came 2 times; once is allowed.")]
    [InlineData("?partition=", "partition: '' is not allowed; 0 is.")]
    [InlineData("?partition=1", "partition: '1' is not allowed; 0 is.")]
    [InlineData("?partition=-1", "partition: '-1' is not allowed; 0 is.")]
    [InlineData("?partition=0%00", "partition: '0\0' is not allowed; 0 is.")]
    [InlineData("?partition=0&partition=0", "partition: came 2 times; once is allowed.")]
    [InlineData("?types=", "types: '' is not allowed; 1 to 100 event types, separated by commas is.")]
    [InlineData("?types=A,,B", "types: 'A,,B' is not allowed; 1 to 100 event types, separated by commas is.")]
    [InlineData("?types=A&types=B", "types: came 2 times; once is allowed.")]
    [InlineData("?Offset=1", "Offset: there is no such parameter; offset, limit, partition, wait, types are allowed.")]
    [InlineData("?size=10", "size: there is no such parameter; offset, limit, partition, wait, types are allowed.")]
    [InlineData("?Code=10", "Code: there is no such parameter; offset, limit, partition, wait, types are allowed.")]
    public async Task Are_refused_with_their_name_their_value_and_what_is_allowed(string text, string detail)
    {
        var request = Request($"/api/events{text}");

        var (query, problem) = EventQuery.Read(request.Query, partitions: 1);

        Assert.Null(query);
        var answer = await AnswerAsync(request, problem!);
        Assert.Equal((400, "invalid-request", detail), (answer.Status, answer.ProblemName, answer.Detail));
    }

    [Fact]
    public void Name_at_most_100_types()
    {
        Assert.Equal(100, Read($"?types={string.Join(',', Enumerable.Range(0, 100))}")!.Types!.Count);
        Assert.Null(Read($"?types={string.Join(',', Enumerable.Range(0, 101))}"));
        Assert.Null(Read($"?types={new string('T', 513)}"));
    }

    [Fact]
    public void Name_the_partition_where_there_are_several()
    {
        var (query, problem) = EventQuery.Read(Request("/api/events").Query, partitions: 4);

        Assert.Null(query);
        Assert.Equal("partition: is missing; the log has partitions 0 to 3.", problem!.Detail);
        Assert.Equal("partition: '4' is not allowed; 0 to 3 is.", EventQuery.Read(Request("/x?partition=4").Query, 4).Problem!.Detail);
    }

    [Fact]
    public async Task Are_shown_shortened_even_where_that_cuts_a_character_in_half()
    {
        var request = Request("/api/events?offset=" + new string('x', 39) + "%F0%9F%98%80");

        var answer = await AnswerAsync(request, EventQuery.Read(request.Query, 1).Problem!);

        Assert.StartsWith("offset: 'xxx", answer.Detail, StringComparison.Ordinal);
    }

    private static EventQuery? Read(string text, int partitions = 1) =>
        EventQuery.Read(Request($"/api/events{text}").Query, partitions).Query;
}

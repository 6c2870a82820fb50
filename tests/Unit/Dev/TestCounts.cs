using System.Xml.Linq;
using Outpost.Dev;

namespace Outpost.Tests.Unit.Dev;

/// <summary>How dev.cs counts tests from what the runners leave behind.</summary>
public sealed class TestCounts
{
    [Fact]
    public void A_result_file_counts_what_did_not_pass_as_failed() => Assert.Equal(
        new TestTally(Passed: 7, Failed: 2, Skipped: 1),
        TestTally.FromTrx(Trx("""<Counters total="10" executed="9" passed="7" failed="1" timeout="1" notExecuted="0" />""")));

    [Fact]
    public void A_result_file_without_counters_is_a_failure() => Assert.Equal(TestTally.Broken, TestTally.FromTrx(Trx("")));

    [Fact]
    public void Nodes_summary_is_counted()
    {
        const string tap = "ok 1 - a\n# tests 6\n# suites 0\n# pass 2\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 1\n# duration_ms 5\n";

        Assert.Equal(new TestTally(Passed: 2, Failed: 2, Skipped: 2), TestTally.FromTap(tap));
        Assert.Equal(TestTally.Broken, TestTally.FromTap("ok 1 - cut off"));
    }

    [Fact]
    public void A_run_that_ended_badly_without_saying_why_has_one_failure_more()
    {
        var passed = new TestTally(3, 0, 0);

        Assert.Equal(new TestTally(3, 1, 0), passed.After(succeeded: false));
        Assert.Equal(new TestTally(3, 2, 0), new TestTally(3, 2, 0).After(succeeded: false));
        Assert.Equal(passed, passed.After(succeeded: true));
    }

    [Fact]
    public void Only_a_run_in_which_something_passed_and_nothing_failed_is_good()
    {
        Assert.True(new TestTally(1, 0, 1).IsGood);
        Assert.False(TestTally.None.IsGood);
        Assert.False(new TestTally(5, 1, 0).IsGood);
        Assert.Equal("5 passed, 1 failed, 0 skipped", new TestTally(5, 1, 0).ToString());
    }

    [Fact]
    public void The_end_of_a_run_names_what_failed_and_why()
    {
        const string results = """
            <UnitTestResult testName="A.Passes" outcome="Passed" />
            <UnitTestResult testName="A.Skips" outcome="NotExecuted" />
            <UnitTestResult testName="A.Fails" outcome="Failed"><Output><ErrorInfo><Message>Expected: 1
            Actual:   2</Message></ErrorInfo></Output></UnitTestResult>
            """;
        Assert.Equal(["A.Fails: Expected: 1 Actual: 2"], FailedTests.FromTrx(Trx(results)));

        const string tap = """
            # Subtest: A
                not ok 1 - fails on \# 1
                  ---
                  duration_ms: 3.006156
                  location: 'x.test.mjs:2:23'
                  failureType: 'testCodeFailure'
                  error: |-
                    Expected values to be strictly equal:
                    
                    1 !== 2
                    
                  code: 'ERR_ASSERTION'
                  ...
                ok 2 - passes
                  ---
                  duration_ms: 3.0
                  ...
            not ok 1 - A
              ---
              duration_ms: 58.5
              type: 'suite'
              location: 'x.test.mjs:2:1'
              failureType: 'subtestsFailed'
              error: '2 subtests failed'
              ...
            not ok 2 - B.test.mjs
              ---
              duration_ms: 50
              failureType: 'testTimeoutFailure'
              error: 'test timed out after 50ms'
              ...

            """;
        Assert.Equal(
            ["fails on # 1: Expected values to be strictly equal: 1 !== 2", "B.test.mjs: 'test timed out after 50ms'"],
            FailedTests.FromTap(tap));

        Assert.Empty(FailedTests.Shown([]));
        Assert.Equal(["Failed:", "  a"], FailedTests.Shown(["a"]));
        Assert.Equal("  and 2 more", FailedTests.Shown([.. Enumerable.Repeat("a", 42)]).Last());
    }

    [Fact]
    public void Groups_come_first_and_the_rest_is_for_dotnet_test()
    {
        var (groups, rest) = TestGroup.Parse(["e2e", "unit", "--filter", "Keys"]);

        Assert.Equal(["unit", "e2e"], groups.Select(group => group.Name));
        Assert.Equal(["--filter", "Keys"], rest);
        Assert.Equal(5, TestGroup.Parse([]).Groups.Count);
        Assert.Throws<DevException>(() => TestGroup.Parse(["units"]));
    }

    private static XDocument Trx(string results) => XDocument.Parse(
        $"""<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><ResultSummary>{results}</ResultSummary></TestRun>""");
}

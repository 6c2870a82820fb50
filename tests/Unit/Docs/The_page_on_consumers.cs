namespace Outpost.Tests.Unit.Docs;

/// <summary>Its examples are tests, in tests/Integration/Consumers.</summary>
public sealed class The_page_on_consumers
{
    [Fact]
    public void Shows_the_code_that_is_compiled_and_run_there() => DocPage.AssertShows("consumers.md", "Integration/Consumers/ConsumersOnABus.cs");
}

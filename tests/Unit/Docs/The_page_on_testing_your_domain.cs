namespace Outpost.Tests.Unit.Docs;

/// <summary>Its examples are tests, and run beside this one.</summary>
public sealed class The_page_on_testing_your_domain
{
    [Fact]
    public void Shows_the_code_that_is_compiled_and_run_here() => DocPage.AssertShows("testing-your-domain.md", "Unit/Docs/TestingYourDomain.cs");
}

using Outpost;

namespace MyApp.Tests;

public sealed class Lending_a_book
{
    [Fact]
    public void Records_who_has_it()
    {
        var accepted = Assert.IsType<Decision<Loan>.Accepted>(LoanDecisions.Lend(null, "b-1", "m-1"));

        Assert.Equal(new Loan("b-1", "m-1"), accepted.State);
        Assert.Equal(new BookLent("b-1", "m-1"), Assert.Single(accepted.Events));
    }

    [Fact]
    public void Is_refused_while_somebody_has_it() =>
        Assert.Equal("book-lent", Assert.IsType<Decision<Loan>.Refused>(LoanDecisions.Lend(new Loan("b-1", "m-1"), "b-1", "m-2")).Refusal.Code);
}

using Outpost;
using Outpost.Testing;

namespace MyApp.Tests;

public sealed class Lending_a_book
{
    [Fact]
    public void Records_who_has_it() => LoanDecisions.Entity
        .Given()
        .When(loan => LoanDecisions.Lend(loan, "b-1", "m-1"))
        .ThenEvents(new BookLent("b-1", "m-1"))
        .ThenState(new Loan("b-1", "m-1"));

    [Fact]
    public void Is_refused_while_somebody_has_it() => LoanDecisions.Entity
        .Given()
        .After(loan => LoanDecisions.Lend(loan, "b-1", "m-1"))
        .When(loan => LoanDecisions.Lend(loan, "b-1", "m-2"))
        .ThenRefused("book-lent");

    // Runs a whole app in memory: the real log and forwarder, with a target in place of the bus.
    [Fact]
    public async Task Is_told_on_the_bus()
    {
        var bus = new RecordingTarget();
        await using var test = new OutpostTest(outpost => outpost.AddTarget("bus", _ => bus));

        await test.Log.ExecuteAsync(
            new Command<Loan> { Entity = LoanDecisions.Entity, EntityId = "b-1", Decide = loan => LoanDecisions.Lend(loan, "b-1", "m-1") },
            CancellationToken.None);
        await test.ForwardAsync();

        Assert.Equal(["BookLent"], bus.Received.Select(entry => entry.Type));
    }
}

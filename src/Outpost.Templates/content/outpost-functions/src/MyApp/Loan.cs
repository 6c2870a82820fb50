using Outpost;

namespace MyApp;

public sealed record Loan(string Book, string? Member);

[EventName("BookLent")]
public sealed record BookLent(string Book, string Member);

[EventName("BookReturned")]
public sealed record BookReturned(string Book, string Member);

/// <summary>The decisions about a book: when each change is allowed, and which event it records. Pure.</summary>
public static class LoanDecisions
{
    public static readonly EntityType<Loan> Entity = new("loan");

    public static Decision<Loan> Lend(Loan? loan, string book, string member) => loan?.Member is { } other
        ? Refusal.Conflict("book-lent", $"'{book}' is lent to {other}.")
        : Decision.Accept(new Loan(book, member), new BookLent(book, member));

    public static Decision<Loan> Return(Loan? loan, string book) => loan?.Member is { } member
        ? Decision.Accept(loan with { Member = null }, new BookReturned(book, member))
        : Refusal.Conflict("book-not-lent", $"'{book}' is not lent.");
}

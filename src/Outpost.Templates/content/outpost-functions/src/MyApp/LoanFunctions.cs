using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace MyApp;

/// <summary>Loans over HTTP. Each command records a change and its event together.</summary>
public sealed class LoanFunctions(EntityApi api)
{
    private static readonly EntityResource<Loan> Loans = new(LoanDecisions.Entity);

    [Function("LendBook")]
    public Task<IResult> Lend(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "loans/{book}/lend")] HttpRequest request, string book, CancellationToken stop) =>
        api.RunAsync(request, Loans, book, body => body.Text("member", 1, 100), (loan, member) => LoanDecisions.Lend(loan, book, member), stop);

    [Function("ReturnBook")]
    public Task<IResult> Return(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "loans/{book}/return")] HttpRequest request, string book, CancellationToken stop) =>
        api.RunAsync(request, Loans, book, loan => LoanDecisions.Return(loan, book), stop);

    [Function("GetLoan")]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "loans/{book}")] HttpRequest request, string book, CancellationToken stop) =>
        api.ReadAsync(request, Loans, book, stop);
}

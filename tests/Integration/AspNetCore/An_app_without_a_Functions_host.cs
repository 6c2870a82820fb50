using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Outpost.AspNetCore;
using Outpost.Forwarding;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.AspNetCore;

/// <summary>The same surface in plain ASP.NET Core: <c>AddOutpost</c>, <c>MapOutpost</c> and a timer of the app's own.</summary>
public sealed class An_app_without_a_Functions_host
{
    [Fact]
    public async Task Records_serves_and_forwards()
    {
        var handled = new TaskCompletionSource<LoanGiven>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await StartAsync(Environments.Development, services => services.AddSingleton(handled));

        using var lent = await app.Http.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/api/loans/b-1/lend")
        {
            Content = JsonContent.Create(new { member = "m1" }),
            Headers = { { "Idempotency-Key", "k1" } },
        });
        using var again = await app.Http.PostAsJsonAsync("/api/loans/b-1/lend", new { member = "m2" });
        using var read = await app.Http.GetAsync("/api/loans/b-1");

        Assert.Equal(HttpStatusCode.OK, lent.StatusCode);
        Assert.Equal((HttpStatusCode.Conflict, "/api/problems/lent"), (again.StatusCode, await TypeAsync(again)));
        Assert.Equal("\"1\"", read.Headers.ETag!.Tag);
        Assert.Equal(new LoanGiven("b-1", "m1"), await handled.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        var events = await app.Http.GetFromJsonAsync<JsonElement>("/api/events?offset=0");
        Assert.Equal("LoanGiven", Assert.Single(events.EnumerateArray()).GetProperty("type").GetString());
        var status = await app.Http.GetFromJsonAsync<JsonElement>("/api/status");
        Assert.Equal("readers", status.GetProperty("forwarders")[0].GetProperty("name").GetString());
        using var health = await app.Http.GetAsync("/api/health");
        Assert.Equal("""{"status":"ok","problems":[]}""", await health.Content.ReadAsStringAsync());
        var check = await app.Host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(HealthStatus.Healthy, check.Entries["outpost"].Status);
        using var document = await app.Http.GetAsync("/api/openapi.json");
        Assert.Equal(HttpStatusCode.OK, document.StatusCode);
        using var page = await app.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/api/dashboard"));
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
    }

    // What nobody else triggers: a forwarder's turn after a crash, retention, what operators asked for.
    [Fact]
    public async Task Ticks_by_itself()
    {
        await using var app = await StartAsync(Environments.Development, services => services.AddSingleton(new TaskCompletionSource<LoanGiven>()));
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));

        JsonElement timer;
        do
        {
            timer = (await app.Http.GetFromJsonAsync<JsonElement>("/api/status", late.Token)).GetProperty("timer");
        }
        while (timer.GetProperty("lastTickAt").ValueKind == JsonValueKind.Null);

        Assert.Equal("* * * * * *", timer.GetProperty("schedule").GetString());
    }

    [Fact]
    public async Task Lets_nobody_in_outside_development_until_it_says_who_may_come()
    {
        await using var app = await StartAsync(Environments.Production, services => services.AddSingleton(new TaskCompletionSource<LoanGiven>()));
        await using var open = await StartAsync(
            Environments.Production, services => services.AddSingleton(new TaskCompletionSource<LoanGiven>()), routes => routes.Feed.AllowAnonymous());

        foreach (var path in new[] { "/api/events", "/api/feed", "/api/partitions", "/api/status", "/api/forwarders/readers/parked" })
        {
            using var refused = await app.Http.GetAsync(path);
            Assert.Equal((HttpStatusCode.Forbidden, "/api/problems/not-protected"), (refused.StatusCode, await TypeAsync(refused)));
        }

        using var forgotten = await app.Http.DeleteAsync("/api/forwarders/readers");
        Assert.Equal(HttpStatusCode.Forbidden, forgotten.StatusCode);
        using var health = await app.Http.GetAsync("/api/health");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        using var events = await open.Http.GetAsync("/api/events");
        using var status = await open.Http.GetAsync("/api/status");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (events.StatusCode, status.StatusCode));
    }

    [Theory]
    [InlineData("FORWARDER_SCHEDULE", "every day", "FORWARDER_SCHEDULE: 'every day' is not allowed; a six-field NCRONTAB expression such as '*/10 * * * * *' is.")]
    [InlineData("Outpost:PartitionCount", "0", "Outpost__PartitionCount: '0' is not allowed; a whole number from 1 to 256 is.")]
    [InlineData("TableStorage", "", "TableStorage: is missing; a connection string is needed, or TableStorage__serviceUri for managed identity.")]
    [InlineData("Targets:Rabbit:Uri", "amqp://x", "Targets__Rabbit: is not allowed; Targets has .")]
    public async Task Ends_with_one_line_where_a_setting_is_bad(string name, string value, string line)
    {
        var builder = await BuilderAsync(Environments.Production);
        builder.Configuration[name] = value;
        builder.AddOutpost();
        await using var app = builder.Build();

        var refused = await Record.ExceptionAsync(() => app.StartAsync());

        Assert.Equal(line, refused!.Message);
    }

    private static async Task<string?> TypeAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString();

    private static async Task<WebApplicationBuilder> BuilderAsync(string environment)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["TableStorage"] = await Azurite.ConnectionStringAsync(),
            ["Outpost:TableName"] = $"t{Guid.NewGuid():n}",
            ["FORWARDER_SCHEDULE"] = "* * * * * *",
        });
        return builder;
    }

    private static async Task<App> StartAsync(string environment, Action<IServiceCollection> configure, Action<OutpostRoutes>? protect = null)
    {
        var builder = await BuilderAsync(environment);
        configure(builder.Services);
        builder.AddOutpost().AddHandler<LoanGiven, Readers>("readers", within: TimeSpan.FromMinutes(1));
        var app = builder.Build();
        var loans = new EntityResource<Loan>(Loans.Entity);
        app.MapPost("/api/loans/{id}/lend", (HttpRequest request, string id, EntityApi api, CancellationToken stop) =>
            api.RunAsync(request, loans, id, body => body.Text("member", 1, 100), (loan, member) => Loans.Lend(loan, id, member), stop));
        app.MapGet("/api/loans/{id}", (HttpRequest request, string id, EntityApi api, CancellationToken stop) => api.ReadAsync(request, loans, id, stop));
        var routes = app.MapOutpost();
        protect?.Invoke(routes);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new App(app, new HttpClient { BaseAddress = new Uri(address) });
    }

    private sealed record App(WebApplication Host, HttpClient Http) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await Host.StopAsync();
            await Host.DisposeAsync();
        }
    }

    public sealed record Loan(string Book, string Member);

    public sealed record LoanGiven(string Book, string Member);

    private static class Loans
    {
        public static readonly EntityType<Loan> Entity = new("loan");

        public static Decision<Loan> Lend(Loan? current, string book, string member) => current is null
            ? Decision.Accept(new Loan(book, member), new LoanGiven(book, member))
            : Refusal.Conflict("lent", $"'{book}' is lent.");
    }

    public sealed class Readers(TaskCompletionSource<LoanGiven> handled) : IEventHandler<LoanGiven>
    {
        public Task HandleAsync(LoanGiven payload, EventEntry entry, CancellationToken cancellationToken)
        {
            handled.TrySetResult(payload);
            return Task.CompletedTask;
        }
    }
}

using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>All operations again, for operators who sign in instead of sharing the admin key.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class OperatorFunction(IServiceProvider services)
{
    /// <summary>
    /// Serves each operation of <c>/api</c> below <c>/api/operators</c> too. This function checks the token; the host
    /// does not.
    /// </summary>
    [Function("Operators")]
    public Task<IResult> OperateAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", "post", "delete", Route = "operators/{*path}")] HttpRequest request,
        CancellationToken cancellationToken) =>
        services.GetRequiredService<OperatorRoutes>().RunAsync(request, cancellationToken);
}

/// <summary>The operations' routes behind a sign-in.</summary>
internal sealed class OperatorRoutes
{
    private readonly OperatorSignIn? _signIn;
    private readonly FaultBoundary _boundary;
    private readonly RequestDelegate _operations;

    internal OperatorRoutes(IServiceProvider services, OperatorSignIn? signIn, FaultBoundary boundary)
    {
        _signIn = signIn;
        _boundary = boundary;
        // These are the same routes that an ASP.NET Core app maps.
        var app = new ApplicationBuilder(services);
        app.UseRouting();
        app.UseEndpoints(routes => OutpostEndpoints.MapOperations(routes.MapGroup("/api/operators")));
        _operations = app.Build();
    }

    internal Task<IResult> RunAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _boundary.RunAsync(request, () => OperateAsync(request, cancellationToken), cancellationToken, isVersioned: true);

    private async Task<IResult> OperateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (_signIn is null) return Problem.NotFound("sign-in-off", "This app has no sign-in for operators: its setting Operators__Authority is empty.");
        var (name, refused) = await _signIn.AskAsync(request, cancellationToken);
        if (refused is not null) return refused;
        // Only the token says who the caller is, so a header of the caller's own is overwritten.
        request.Headers[OperationsApi.PrincipalHeader] = name;
        // The host has already chosen its own route. Routing would keep that one.
        request.HttpContext.SetEndpoint(null);
        await _operations(request.HttpContext);
        return Results.Empty;
    }
}

/// <summary>Registers the operators' routes.</summary>
internal static class OperatorServices
{
    /// <exception cref="InvalidSettingException">A setting has a value that is not allowed.</exception>
    public static void AddOperators(this IServiceCollection services, IConfiguration configuration)
    {
        var options = OperatorOptions.Read(configuration);
        services.AddRouting();
        services.AddSingleton(provider => new OperatorRoutes(provider, options is null ? null : new OperatorSignIn(options), provider.GetRequiredService<FaultBoundary>()));
    }
}

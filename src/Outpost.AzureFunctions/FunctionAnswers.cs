using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>
/// How a ready-made function answers. The worker's generated code names the functions' classes, so they must be public.
/// What they call is internal, so they take it from the service provider.
/// </summary>
internal static class FunctionAnswers
{
    public static Task<IResult> AnswerAsync<TApi>(
        this IServiceProvider services, HttpRequest request, Func<TApi, Task<IResult>> work, CancellationToken cancellationToken, bool isVersioned = true)
        where TApi : notnull =>
        services.GetRequiredService<FaultBoundary>().RunAsync(request, () => work(services.GetRequiredService<TApi>()), cancellationToken, isVersioned);
}

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>
/// How a ready-made function answers. The worker's generated code names the functions' classes, so they are public; what they
/// call is not, so they take it from the services themselves.
/// </summary>
internal static class FunctionAnswers
{
    public static Task<IResult> AnswerAsync<TApi>(
        this IServiceProvider services, HttpRequest request, Func<TApi, Task<IResult>> work, CancellationToken cancellationToken, bool isVersioned = true)
        where TApi : notnull =>
        services.GetRequiredService<FaultBoundary>().RunAsync(request, () => work(services.GetRequiredService<TApi>()), cancellationToken, isVersioned);
}

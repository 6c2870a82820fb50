using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Core.FunctionMetadata;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>Finds the HTTP functions of an app, for its OpenAPI document.</summary>
internal static class HttpFunctions
{
    private const string Prefix = "/api/";

    /// <summary>
    /// The app's own functions that the worker reports to its host, described by the attributes on their methods.
    /// </summary>
    public static IEnumerable<AppEndpoint> Of(IFunctionMetadataProvider functions)
    {
        // The generated provider has the list at hand, so this does not block.
        var all = functions.GetFunctionMetadataAsync(AppContext.BaseDirectory).GetAwaiter().GetResult();
        return all.Select(MethodOf).OfType<MethodInfo>().Where(method => method.DeclaringType!.Assembly != typeof(HttpFunctions).Assembly).SelectMany(Of);
    }

    /// <summary>The endpoints of a method; none where HTTP does not trigger it.</summary>
    public static IEnumerable<AppEndpoint> Of(MethodInfo method) =>
        from trigger in method.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).OfType<HttpTriggerAttribute>().Take(1)
        let name = method.GetCustomAttribute<FunctionAttribute>()?.Name ?? method.Name
        from verb in trigger.Methods ?? ["get", "post"]
        select new AppEndpoint(verb.ToLowerInvariant(), Prefix + (trigger.Route ?? name), name, KeyOf(trigger.AuthLevel), method.GetCustomAttributes(inherit: false));

    private static MethodInfo? MethodOf(IFunctionMetadata function)
    {
        if (function.EntryPoint?.LastIndexOf('.') is not (> 0 and var dot)) return null;
        var assembly = AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(each => each.GetName().Name == Path.GetFileNameWithoutExtension(function.ScriptFile));
        return assembly?.GetType(function.EntryPoint[..dot])?.GetMethod(function.EntryPoint[(dot + 1)..]);
    }

    private static OpenApiKey KeyOf(AuthorizationLevel level) => level switch
    {
        AuthorizationLevel.Anonymous => OpenApiKey.None,
        AuthorizationLevel.Admin => OpenApiKey.Admin,
        _ => OpenApiKey.Function,
    };
}

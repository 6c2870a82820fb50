using System.Reflection;
using Microsoft.Azure.Functions.Worker;

namespace Outpost.LocalHost;

/// <summary>Finds functions by their attributes.</summary>
internal static class FunctionDiscovery
{
    private const BindingFlags Own = BindingFlags.Public | BindingFlags.NonPublic
        | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>In the order in which the Functions host lists them, and tries their routes: by name.</summary>
    public static IReadOnlyList<FunctionDefinition> Find(IEnumerable<Type> types) =>
    [
        .. types.SelectMany(type => type.GetMethods(Own))
            .Select(method => (method, name: method.GetCustomAttribute<FunctionAttribute>()?.Name))
            .Where(found => found.name is not null)
            .Select(found => new FunctionDefinition(found.name!, found.method, Trigger(found.name!, found.method)))
            .OrderBy(function => function.Name, StringComparer.OrdinalIgnoreCase),
    ];

    private static FunctionTrigger Trigger(string name, MethodInfo method)
    {
        // The worker's build lists public methods only: anything else would run here and be missing in Azure.
        if (!method.IsPublic)
            throw new StartException($"Function '{name}' ({method.DeclaringType?.Name}.{method.Name}) is not public.");
        var triggers = method.GetParameters()
            .SelectMany(parameter => parameter.GetCustomAttributes().Select(attribute => Read(name, attribute)))
            .OfType<FunctionTrigger>().ToList();
        return triggers is [var only]
            ? only
            : throw new StartException($"Function '{name}' has {triggers.Count} HTTP or timer triggers; it needs one.");
    }

    private static FunctionTrigger? Read(string name, Attribute attribute) => attribute switch
    {
        HttpTriggerAttribute http => new HttpFunctionTrigger(
            string.IsNullOrEmpty(http.Route) ? name : http.Route,
            [.. http.Methods?.Select(method => method.ToUpperInvariant()) ?? []],
            http.AuthLevel),
        TimerTriggerAttribute timer => new TimerFunctionTrigger(timer.Schedule, timer.RunOnStartup, timer.UseMonitor),
        _ => null,
    };
}

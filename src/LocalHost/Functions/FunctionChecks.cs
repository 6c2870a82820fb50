using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Outpost.LocalHost;

/// <summary>
/// What may not be true of the functions of one app. The Functions host leaves out a function that breaks some of
/// these rules and says so in its log; here the start stops.
/// </summary>
internal static partial class FunctionChecks
{
    public static IReadOnlyList<string> Problems(IReadOnlyList<FunctionDefinition> functions)
    {
        using var services = new ServiceCollection().AddLogging().AddRouting().BuildServiceProvider();
        var templates = new RouteTemplates(services.GetRequiredService<IInlineConstraintResolver>());
        return
        [
            .. functions.SelectMany(Alone),
            .. Pairs(functions).Select(pair => Together(pair.One, pair.Other, templates)).OfType<string>(),
        ];
    }

    private static IEnumerable<string> Alone(FunctionDefinition function)
    {
        if (!Name().IsMatch(function.Name))
            yield return $"Function '{function.Name}': a name is a letter, then up to 127 letters, digits, _ or -.";
        if (function.Trigger is HttpFunctionTrigger http && RouteProblem(http.Route) is { } problem)
            yield return $"Function '{function.Name}', route '{http.Route}': {problem}.";
        foreach (var misfit in FunctionBinding.Problems(function))
            yield return $"Function '{function.Name}' ({function.Origin}): {misfit}.";
    }

    private static string? RouteProblem(string route)
    {
        var path = route.Trim('/');
        if (path.StartsWith("admin", StringComparison.OrdinalIgnoreCase)
            || path.StartsWith("runtime", StringComparison.OrdinalIgnoreCase))
            return "the Functions host keeps routes that begin with 'admin' or 'runtime' for itself";
        try
        {
            RoutePatternFactory.Parse(route);
            return null;
        }
        catch (RoutePatternException invalid)
        {
            return invalid.Message.TrimEnd('.');
        }
    }

    private static string? Together(FunctionDefinition one, FunctionDefinition other, RouteTemplates templates)
    {
        if (string.Equals(one.Name, other.Name, StringComparison.OrdinalIgnoreCase))
            return $"{one.Origin} and {other.Origin} are both the function '{one.Name}'.";
        // The host takes the first match by name, the worker behind it the most specific one: only no choice is safe.
        return one.Trigger is HttpFunctionTrigger a && other.Trigger is HttpFunctionTrigger b && a.Shares(b)
            && RouteProblem(a.Route) is null && RouteProblem(b.Route) is null && templates.Overlap(a.Route, b.Route)
            ? $"Functions '{one.Name}' and '{other.Name}' answer the same requests: "
                + $"'{a.Route}' [{Methods(a)}] and '{b.Route}' [{Methods(b)}]."
            : null;
    }

    private static string Methods(HttpFunctionTrigger http) =>
        http.Methods.Count == 0 ? "all" : string.Join(',', http.Methods);

    private static IEnumerable<(FunctionDefinition One, FunctionDefinition Other)> Pairs(
        IReadOnlyList<FunctionDefinition> functions) =>
        functions.SelectMany((one, i) => functions.Skip(i + 1).Select(other => (one, other)));

    [GeneratedRegex(@"^(?!host$)[a-z][a-z0-9_\-]{0,127}$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}

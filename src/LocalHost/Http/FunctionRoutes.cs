using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Constraints;

namespace Outpost.LocalHost;

/// <summary>
/// Routes requests as the Functions host does: to the first template in the list that matches, with the method as a
/// constraint like any other. So a method that no function lists is an unknown route (404, not 405), and HEAD is
/// answered only where it is listed.
/// </summary>
internal static class FunctionRoutes
{
    public static string Template(string prefix, HttpFunctionTrigger http) =>
        prefix.Length == 0 ? http.Route : $"{prefix}/{http.Route}";

    public static IRouter Build(
        IEnumerable<FunctionDefinition> functions, string prefix, IInlineConstraintResolver constraints,
        Func<FunctionDefinition, RequestDelegate> answer)
    {
        var routes = new RouteCollection();
        foreach (var function in functions)
        {
            if (function.Trigger is not HttpFunctionTrigger http)
                continue;
            var methods = new Dictionary<string, object>();
            if (http.Methods.Count > 0)
                methods["httpMethod"] = new HttpMethodRouteConstraint([.. http.Methods]);
            routes.Add(new Route(
                new RouteHandler(answer(function)), function.Name, Template(prefix, http),
                defaults: null, methods, dataTokens: null, constraints));
        }
        return routes;
    }
}

using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>The endpoints that an ASP.NET Core app maps.</summary>
internal static class MappedEndpoints
{
    public static IEnumerable<AppEndpoint> Of(EndpointDataSource? mapped) =>
        from endpoint in mapped?.Endpoints.OfType<RouteEndpoint>() ?? []
        let path = $"/{string.Join('/', endpoint.RoutePattern.PathSegments.Select(Text))}"
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
        select new AppEndpoint(
            method.ToLowerInvariant(), path, endpoint.Metadata.GetMetadata<EndpointNameMetadata>()?.EndpointName ?? $"{method.ToLowerInvariant()}{Name(path)}", OpenApiKey.None, [.. endpoint.Metadata]);

    // A document has no place for constraints and defaults, so they are left out.
    private static string Text(RoutePatternPathSegment segment) => string.Concat(segment.Parts.Select(part => part switch
    {
        RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternLiteralPart literal => literal.Content,
        _ => "",
    }));

    private static string Name(string path) => string.Concat(path.Select(character => char.IsAsciiLetterOrDigit(character) ? character : '_'));
}

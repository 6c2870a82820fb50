using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Outpost.LocalHost;

/// <summary>Whether one path can match two templates.</summary>
internal sealed class RouteTemplates(IInlineConstraintResolver constraints)
{
    public bool Overlap(string one, string other) =>
        Overlap(Segments(one), Segments(other));

    private static ReadOnlySpan<RoutePatternPathSegment> Segments(string template) =>
        RoutePatternFactory.Parse(template).PathSegments.ToArray();

    private bool Overlap(ReadOnlySpan<RoutePatternPathSegment> one, ReadOnlySpan<RoutePatternPathSegment> other)
    {
        if (one.IsEmpty)
            return other.IsEmpty || CanBeAbsent(other[0]);
        if (other.IsEmpty)
            return CanBeAbsent(one[0]);
        return IsCatchAll(one[0]) || IsCatchAll(other[0])
            || (Overlap(one[0], other[0]) && Overlap(one[1..], other[1..]));
    }

    private bool Overlap(RoutePatternPathSegment one, RoutePatternPathSegment other) => (Only(one), Only(other)) switch
    {
        (RoutePatternLiteralPart a, RoutePatternLiteralPart b) =>
            string.Equals(a.Content, b.Content, StringComparison.OrdinalIgnoreCase),
        (RoutePatternLiteralPart literal, RoutePatternParameterPart parameter) => Takes(parameter, literal.Content),
        (RoutePatternParameterPart parameter, RoutePatternLiteralPart literal) => Takes(parameter, literal.Content),
        // Two constraints may exclude each other, but nothing says so: better forbid one pair too many.
        _ => true,
    };

    private bool Takes(RoutePatternParameterPart parameter, string value)
    {
        var values = new RouteValueDictionary { [parameter.Name] = value };
        return parameter.ParameterPolicies
            .Select(policy => constraints.ResolveConstraint(policy.Content!))
            .All(constraint => constraint is null || constraint.Match(
                new DefaultHttpContext(), null, parameter.Name, values, RouteDirection.IncomingRequest));
    }

    private static RoutePatternPart? Only(RoutePatternPathSegment segment) =>
        segment.Parts is [var only] ? only : null;

    // Optional parameters and catch-alls come last, so what can be absent has nothing after it.
    private static bool CanBeAbsent(RoutePatternPathSegment segment) =>
        Only(segment) is RoutePatternParameterPart parameter
        && (parameter.IsOptional || parameter.IsCatchAll || parameter.Default is not null);

    private static bool IsCatchAll(RoutePatternPathSegment segment) =>
        Only(segment) is RoutePatternParameterPart { IsCatchAll: true };
}

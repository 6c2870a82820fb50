using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;

namespace Outpost.LocalHost;

/// <summary>What one call of a function can hand to its parameters.</summary>
internal sealed record FunctionInputs(
    CancellationToken Cancellation, HttpRequest? Request = null, TimerInfo? Timer = null);

/// <summary>Matches parameters with what a call has: by type, and route values by name.</summary>
internal static class FunctionBinding
{
    /// <summary>Why the function could not be called, or its result not used.</summary>
    public static IEnumerable<string> Problems(FunctionDefinition function)
    {
        var route = RouteParameters(function);
        foreach (var parameter in function.Method.GetParameters().Where(parameter => !IsInput(function, parameter)))
        {
            if (!route.TryGetValue(parameter.Name!, out var optional))
                yield return $"nothing binds to the parameter '{parameter.ParameterType.Name} {parameter.Name}'";
            else if (optional && !CanBeNull(parameter.ParameterType))
                yield return $"the optional route value '{parameter.Name}' needs a type that can be null";
        }
        var result = ResultType(function.Method.ReturnType);
        if (function.Trigger is HttpFunctionTrigger && result is not null
            && !result.IsAssignableTo(typeof(IResult)) && !result.IsAssignableTo(typeof(IActionResult)))
            yield return $"its result is a {result.Name}, not an IResult or IActionResult";
    }

    public static object?[] Arguments(MethodInfo method, FunctionInputs inputs) =>
        [.. method.GetParameters().Select(parameter => Argument(parameter, inputs))];

    /// <summary>What the method hands back in the end, inside a task or not; null for nothing.</summary>
    public static Type? ResultType(Type declared)
    {
        if (declared == typeof(void) || declared == typeof(Task) || declared == typeof(ValueTask))
            return null;
        return declared.IsGenericType && (declared.GetGenericTypeDefinition() == typeof(Task<>)
            || declared.GetGenericTypeDefinition() == typeof(ValueTask<>))
            ? declared.GetGenericArguments()[0]
            : declared;
    }

    private static bool IsInput(FunctionDefinition function, ParameterInfo parameter) =>
        parameter.ParameterType == typeof(CancellationToken)
        || (function.Trigger is HttpFunctionTrigger && parameter.ParameterType == typeof(HttpRequest))
        || (function.Trigger is TimerFunctionTrigger && parameter.ParameterType == typeof(TimerInfo));

    private static Dictionary<string, bool> RouteParameters(FunctionDefinition function)
    {
        var found = new Dictionary<string, bool>(StringComparer.OrdinalIgnoreCase);
        if (function.Trigger is not HttpFunctionTrigger http)
            return found;
        try
        {
            foreach (var parameter in RoutePatternFactory.Parse(http.Route).Parameters)
                found[parameter.Name] = parameter is { IsOptional: true } or { IsCatchAll: true, Default: null };
        }
        catch (RoutePatternException)
        {
            // reported as a problem of the route itself
        }
        return found;
    }

    private static object? Argument(ParameterInfo parameter, FunctionInputs inputs)
    {
        if (parameter.ParameterType == typeof(CancellationToken))
            return inputs.Cancellation;
        if (parameter.ParameterType == typeof(HttpRequest))
            return inputs.Request;
        if (parameter.ParameterType == typeof(TimerInfo))
            return inputs.Timer;
        return RouteValue(parameter, inputs.Request?.RouteValues[parameter.Name!] as string);
    }

    private static object? RouteValue(ParameterInfo parameter, string? value)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        if (value is null || type == typeof(string))
            return value;
        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, value);
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or NotSupportedException)
        {
            throw new FormatException($"The route value {parameter.Name} is '{value}', not a {type.Name}.", failure);
        }
    }

    private static bool CanBeNull(Type type) => !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;
}

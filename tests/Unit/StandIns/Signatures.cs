using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Outpost.Tests.Unit.StandIns;

/// <summary>Parameters, defaults, operators and constraints as C# writes them.</summary>
internal static class Signatures
{
    private static readonly Dictionary<string, string> Operators = new(StringComparer.Ordinal)
    {
        ["op_Equality"] = "operator ==",
        ["op_Inequality"] = "operator !=",
        ["op_LessThan"] = "operator <",
        ["op_GreaterThan"] = "operator >",
        ["op_LessThanOrEqual"] = "operator <=",
        ["op_GreaterThanOrEqual"] = "operator >=",
    };

    public static string NameAndType(MethodInfo method)
    {
        var type = TypeNames.Short(method.ReturnType);
        return method.Name switch
        {
            "op_Implicit" => $"implicit operator {type}",
            "op_Explicit" => $"explicit operator {type}",
            var name => $"{type} {Operators.GetValueOrDefault(name, name)}{Generics(method)}",
        };
    }

    public static string Parameters(MethodBase method) => Parameters(method.GetParameters());

    public static string Parameters(ParameterInfo[] parameters) => string.Join(", ", parameters.Select(Parameter));

    public static string Constraints(MethodInfo method)
    {
        if (!method.IsGenericMethodDefinition)
            return "";
        return string.Concat(method.GetGenericArguments().Select(argument =>
        {
            var constraints = Constraints(argument);
            return constraints.Count == 0 ? "" : $" where {argument.Name} : {string.Join(", ", constraints)}";
        }));
    }

    public static bool IsInit(PropertyInfo property) =>
        property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) == true;

    public static string Value(object? value, Type type) => value switch
    {
        null => type.IsValueType && Nullable.GetUnderlyingType(type) is null ? "default" : "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ when (Nullable.GetUnderlyingType(type) ?? type) is { IsEnum: true } values =>
            $"{TypeNames.Short(values)}.{Enum.GetName(values, Enum.ToObject(values, value))}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Parameter(ParameterInfo parameter)
    {
        var modifier = parameter switch
        {
            { IsOut: true } => "out ",
            { IsIn: true } => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) => "params ",
            _ => "",
        };
        var type = parameter.ParameterType;
        if (type.IsByRef)
            type = type.GetElementType()!;
        var preset = parameter.HasDefaultValue ? " = " + Value(parameter.RawDefaultValue, type) : "";
        return $"{modifier}{TypeNames.Short(type)} {parameter.Name}{preset}";
    }

    private static List<string> Constraints(Type argument)
    {
        var attributes = argument.GenericParameterAttributes;
        var constraints = new List<string>();
        var isStruct = attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
            constraints.Add("class");
        if (isStruct)
            constraints.Add("struct");
        constraints.AddRange(argument.GetGenericParameterConstraints()
            .Where(type => type != typeof(ValueType))
            .Select(TypeNames.Short));
        if (!isStruct && attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint))
            constraints.Add("new()");
        return constraints;
    }

    private static string Generics(MethodInfo method) => method.IsGenericMethodDefinition
        ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>"
        : "";
}

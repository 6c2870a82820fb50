using System.Reflection;
using System.Runtime.CompilerServices;

namespace Outpost.Tests.Unit.StandIns;

/// <summary>
/// What other assemblies can see of a type, one line each: "Full.Name: what it is", "Full.Name: extends …",
/// "Full.Name: implements …", "Full.Name: a member's signature". Attributes and nullability are left out.
/// </summary>
internal static class Surface
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic |
        BindingFlags.Instance | BindingFlags.Static;

    public static IEnumerable<string> Of(Type type)
    {
        var name = TypeNames.Full(type);
        return Kind(type).Concat(type.IsEnum ? Values(type) : Members(type)).Select(line => $"{name}: {line}");
    }

    public static bool IsVisible(Type type) =>
        type.IsPublic ||
        ((type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!));

    private static IEnumerable<string> Kind(Type type)
    {
        yield return type switch
        {
            { IsEnum: true } => "enum",
            { IsInterface: true } => "interface",
            { IsValueType: true } => "struct",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract class",
            { IsSealed: true } => "sealed class",
            _ => "class",
        };
        if (type.IsEnum)
            yield break;
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
            yield return $"extends {TypeNames.Short(parent)}";
        foreach (var face in type.GetInterfaces().Where(IsVisible).Except(type.BaseType?.GetInterfaces() ?? []))
            yield return $"implements {TypeNames.Short(face)}";
    }

    private static IEnumerable<string> Values(Type type) => type
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => $"{field.Name} = {Convert.ToString(field.GetRawConstantValue(), null)}");

    private static IEnumerable<string> Members(Type type) => type.GetMembers(Declared)
        .Where(member => !member.Name.Contains('<', StringComparison.Ordinal))
        .Select(member => member switch
        {
            ConstructorInfo { IsStatic: false } constructor when IsVisible(constructor) =>
                $"{Access(constructor)}{TypeNames.Bare(type)}({Signatures.Parameters(constructor)})",
            MethodInfo method when IsVisible(method) && !IsAccessor(method) => Method(method),
            PropertyInfo property when Widest(property) is { } widest => Property(property, widest),
            EventInfo { AddMethod: { } add } happening when IsVisible(add) =>
                $"{Modifiers(add)}event {TypeNames.Short(happening.EventHandlerType!)} {happening.Name}",
            FieldInfo field when field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly => Field(field),
            _ => "",
        })
        .Where(line => line.Length > 0);

    private static string Method(MethodInfo method)
    {
        var extension = method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "";
        return $"{Modifiers(method)}{Signatures.NameAndType(method)}({extension}{Signatures.Parameters(method)})" +
            Signatures.Constraints(method);
    }

    private static string Property(PropertyInfo property, MethodInfo widest)
    {
        var index = property.GetIndexParameters();
        var name = index.Length == 0 ? property.Name : $"this[{Signatures.Parameters(index)}]";
        var get = Accessor(property.GetMethod, widest, "get");
        var set = Accessor(property.SetMethod, widest, Signatures.IsInit(property) ? "init" : "set");
        return $"{Modifiers(widest)}{TypeNames.Short(property.PropertyType)} {name} {{ {get}{set}}}";
    }

    private static string Accessor(MethodInfo? accessor, MethodInfo widest, string word) =>
        accessor is null || !IsVisible(accessor) ? ""
        : Access(accessor) == Access(widest) ? $"{word}; "
        : $"protected {word}; ";

    private static string Field(FieldInfo field)
    {
        var access = field.IsPublic ? "" : "protected ";
        var kind = field switch { { IsLiteral: true } => "const ", { IsStatic: true } => "static ", _ => "" };
        var once = field is { IsInitOnly: true, IsLiteral: false } ? "readonly " : "";
        var value = field.IsLiteral ? " = " + Signatures.Value(field.GetRawConstantValue(), field.FieldType) : "";
        return $"{access}{kind}{once}{TypeNames.Short(field.FieldType)} {field.Name}{value}";
    }

    private static string Access(MethodBase member) => member.IsPublic ? "" : "protected ";

    private static string Modifiers(MethodInfo method)
    {
        var access = Access(method);
        if (method.IsStatic)
            return access + "static ";
        if (!method.IsVirtual || method.DeclaringType!.IsInterface)
            return access;
        var isOverride = method.GetBaseDefinition() != method;
        if (method.IsFinal)
            return isOverride ? access + "sealed override " : access;
        return access + (isOverride ? "override " : method.IsAbstract ? "abstract " : "virtual ");
    }

    private static bool IsVisible(MethodBase member) => member.IsPublic || member.IsFamily || member.IsFamilyOrAssembly;

    private static bool IsAccessor(MethodInfo method) =>
        method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    private static MethodInfo? Widest(PropertyInfo property) => property
        .GetAccessors(nonPublic: true)
        .Where(IsVisible)
        .MaxBy(accessor => accessor.IsPublic);
}

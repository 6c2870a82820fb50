namespace Outpost.Tests.Unit.StandIns;

/// <summary>Names of types as C# writes them: short within signatures, full in front of them.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(char)] = "char",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(double)] = "double",
        [typeof(decimal)] = "decimal",
    };

    /// <summary>With namespace: <c>Azure.Data.Tables.TableClientOptions.ServiceVersion</c>.</summary>
    public static string Full(Type type) => $"{type.Namespace}.{Short(type)}";

    /// <summary>Without namespace: <c>Task&lt;Response&lt;T&gt;&gt;</c>, <c>int?</c>, <c>byte[]</c>.</summary>
    public static string Short(Type type)
    {
        if (Keywords.TryGetValue(type, out var keyword))
            return keyword;
        if (type.IsGenericParameter)
            return type.Name;
        if (type.IsArray)
            return Short(type.GetElementType()!) + "[]";
        if (type.IsByRef)
            return "ref " + Short(type.GetElementType()!);
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Short(value) + "?";
        return Nested(type, type.GetGenericArguments());
    }

    /// <summary>The last part alone, as constructors are named.</summary>
    public static string Bare(Type type) => type.Name.Split('`')[0];

    private static string Nested(Type type, Type[] arguments)
    {
        var outer = type.DeclaringType;
        var inherited = outer?.GetGenericArguments().Length ?? 0;
        var own = arguments[inherited..];
        var name = own.Length == 0 ? Bare(type) : $"{Bare(type)}<{string.Join(", ", own.Select(Short))}>";
        return outer is null ? name : $"{Nested(outer, arguments[..inherited])}.{name}";
    }
}

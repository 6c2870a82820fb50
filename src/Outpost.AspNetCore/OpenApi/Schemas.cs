using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>Makes JSON Schemas of answers from the types that are serialized.</summary>
internal static class Schemas
{
    private static readonly JsonSerializerOptions Reflected = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    private static readonly JsonSchemaExporterOptions Export = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Refine };

    /// <summary>The schema of a type as the app serializes it.</summary>
    public static JsonNode Of(Type type) => Info(type).GetJsonSchemaAsNode(Export);

    // Uses the source-generated context of the type's own assembly where there is one, because answers are written with it.
    private static JsonTypeInfo Info(Type type)
    {
        var element = type.IsArray ? type.GetElementType()! : type;
        var contexts = element.Assembly.GetTypes().Where(each => each.IsSubclassOf(typeof(JsonSerializerContext)) && !each.IsAbstract);
        return contexts
            .Select(context => context.GetProperty("Default", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as JsonSerializerContext)
            .Select(context => context?.GetTypeInfo(type)).FirstOrDefault(info => info is not null) ?? Reflected.GetTypeInfo(type);
    }

    private static JsonNode Refine(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is not JsonObject schema) return node;
        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object && schema["properties"] is JsonObject properties)
        {
            var always = context.TypeInfo.Properties.Where(IsAlwaysThere).Select(property => (JsonNode)property.Name).ToArray();
            if (always.Length > 0) schema["required"] = new JsonArray(always);
            else schema.Remove("required");
            schema["additionalProperties"] = false;
            // The exporter writes a reference for a member of a type that it has seen before. People read the document too.
            foreach (var property in context.TypeInfo.Properties.Where(property => properties.ContainsKey(property.Name) && !IsAlwaysThere(property))) WithoutNull(properties[property.Name]!);
            Describe(schema, context.TypeInfo.Type.GetCustomAttributes(inherit: false));
        }

        if (context.PropertyInfo is { } member)
        {
            if (member.DeclaringType.Assembly == typeof(Schemas).Assembly) Facets.Apply(member, schema);
            Describe(schema, member.AttributeProvider?.GetCustomAttributes(inherit: false) ?? []);
        }

        return schema;
    }

    private static bool IsAlwaysThere(JsonPropertyInfo property)
    {
        var ignored = property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), inherit: false).OfType<JsonIgnoreAttribute>().FirstOrDefault()?.Condition
            ?? property.Options.DefaultIgnoreCondition;
        return !(property.IsGetNullable && ignored is JsonIgnoreCondition.WhenWritingNull or JsonIgnoreCondition.WhenWritingDefault);
    }

    // Such a member is left out rather than null.
    private static void WithoutNull(JsonNode schema)
    {
        if (schema["type"] is JsonArray types) schema["type"] = types.Select(type => (string)type!).Single(type => type != "null");
        if (schema["enum"] is JsonArray values && values.Any(value => value is null)) values.Remove(values.First(value => value is null));
    }

    private static void Describe(JsonObject schema, object[] attributes)
    {
        foreach (var attribute in attributes)
        {
            switch (attribute)
            {
                case DescriptionAttribute { Description: var text }:
                    schema["description"] = text;
                    break;
                case RangeAttribute range:
                    schema["minimum"] = JsonValue.Create(Convert.ToDecimal(range.Minimum, System.Globalization.CultureInfo.InvariantCulture));
                    schema["maximum"] = JsonValue.Create(Convert.ToDecimal(range.Maximum, System.Globalization.CultureInfo.InvariantCulture));
                    break;
                case StringLengthAttribute length:
                    schema["minLength"] = length.MinimumLength;
                    schema["maxLength"] = length.MaximumLength;
                    break;
                case RegularExpressionAttribute { Pattern: var pattern }:
                    schema["pattern"] = pattern;
                    break;
                case AllowedValuesAttribute { Values: var values }:
                    schema["enum"] = new JsonArray([.. values.Select(value => JsonSerializer.SerializeToNode(value))]);
                    break;
            }
        }
    }
}

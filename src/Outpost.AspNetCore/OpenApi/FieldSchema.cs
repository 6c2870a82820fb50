using System.Text.Json.Nodes;

namespace Outpost.AspNetCore.OpenApi;

/// <summary>
/// The JSON Schema of a body, recorded while <see cref="JsonFields"/> reads it, so that each rule is defined once.
/// </summary>
internal sealed class FieldSchema
{
    private const string NoSurrogates = @"^[^\ud800-\udfff]*$";
    private const string NoControls = @"^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]*$";
    private readonly JsonObject _properties = [];
    private readonly JsonArray _required = [];

    public JsonObject Schema => new()
    {
        ["type"] = "object",
        ["required"] = _required.Count > 0 ? _required.DeepClone() : null,
        ["properties"] = _properties.Count > 0 ? _properties.DeepClone() : null,
        ["additionalProperties"] = false,
    };

    /// <summary>A body that the reader accepts, with the smallest value of each required member.</summary>
    public JsonObject Sample { get; } = [];

    /// <param name="name">Name of the member.</param>
    /// <param name="min">The fewest characters.</param>
    /// <param name="max">The most characters.</param>
    /// <param name="required">False: it may be missing or null.</param>
    /// <param name="pattern">
    /// An ECMAScript pattern of what is allowed; null: text without control characters; empty: any text.
    /// </param>
    public string Text(string name, int min, int max, bool required, string? pattern)
    {
        var sample = new string('a', Math.Max(min, 1));
        Add(name, required, "string", sample, ("minLength", min), ("maxLength", max), ("pattern", pattern switch { null => NoControls, "" => NoSurrogates, _ => pattern }));
        return sample;
    }

    public long Integer(string name, long min, long max, bool required)
    {
        // A program that reads JSON numbers as doubles cannot tell a bound beyond 2^53 from the next number. Such a
        // bound is the type's own.
        var facets = new List<(string, JsonNode)> { ("minimum", min), ("maximum", max) };
        if (max > int.MaxValue) facets.Insert(0, ("format", "int64"));
        Add(name, required, "integer", min, [.. facets]);
        return min;
    }

    public decimal Decimal(string name, decimal min, decimal max, int decimals)
    {
        Add(name, required: true, "number", min, ("minimum", min), ("maximum", max), ("description", $"At most {decimals} decimal places."));
        return min;
    }

    public void Time(string name) => Add(name, required: true, "string", "2026-11-22T08:00:00Z", ("format", "date-time"));

    public void Texts(string name, int min, int max, int characters) => Add(
        name, required: false, "array", new JsonArray("a"), ("minItems", min), ("maxItems", max),
        ("items", new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = characters, ["pattern"] = NoSurrogates }));

    public void Objects(string name, int min, int max, FieldSchema item) =>
        Add(name, required: true, "array", new JsonArray(item.Sample.DeepClone()), ("minItems", min), ("maxItems", max), ("items", item.Schema.Trimmed()));

    private void Add(string name, bool required, string type, JsonNode sample, params (string Name, JsonNode Value)[] facets)
    {
        var schema = new JsonObject { ["type"] = required ? type : new JsonArray(type, "null") };
        foreach (var (facet, value) in facets) schema[facet] = value;
        _properties[name] = schema;
        if (!required) return;
        _required.Add(name);
        Sample[name] = sample;
    }
}

/// <summary>Helpers for building JSON.</summary>
internal static class JsonNodes
{
    /// <summary>Removes the members that are null.</summary>
    public static JsonObject Trimmed(this JsonObject node)
    {
        foreach (var name in node.Where(member => member.Value is null).Select(member => member.Key).ToList()) node.Remove(name);
        return node;
    }
}

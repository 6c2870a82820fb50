using System.Text.Json;

namespace Azure.Data.Tables.Internal;

/// <summary>
/// JSON to entities, straight from the response's bytes. One reader serves all pages of a query: the names of the
/// properties are the same in every row and become strings once.
/// </summary>
internal sealed class EntityReader
{
    private readonly NameTable _names = new();
    private readonly List<(string Name, string Type)> _types = [];

    public List<T> ReadMany<T>(ReadOnlySpan<byte> json)
        where T : class, ITableEntity
    {
        var rows = new List<T>();
        var reader = new Utf8JsonReader(json);
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isValue = reader.ValueTextEquals("value"u8);
            reader.Read();
            if (!isValue || reader.TokenType != JsonTokenType.StartArray)
            {
                reader.Skip();
                continue;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
                rows.Add(ReadRow<T>(ref reader));
        }
        return rows;
    }

    public T ReadOne<T>(ReadOnlySpan<byte> json)
        where T : class, ITableEntity
    {
        var reader = new Utf8JsonReader(json);
        Expect(ref reader, JsonTokenType.StartObject);
        return ReadRow<T>(ref reader);
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw new JsonException($"Expected {type} in the answer of the table service.");
    }

    private T ReadRow<T>(ref Utf8JsonReader reader)
        where T : class, ITableEntity
    {
        if (typeof(T) == typeof(TableEntity))
        {
            var row = new TableEntity(_names.Count);
            ReadValues(ref reader, row.Values);
            return (T)(object)row;
        }
        var values = new Dictionary<string, object>(_names.Count);
        ReadValues(ref reader, values);
        var entity = Activator.CreateInstance<T>();
        if (entity is IDictionary<string, object> dictionary)
        {
            foreach (var (name, value) in values)
                dictionary[name] = value;
        }
        else
        {
            PocoType.Of(typeof(T)).Fill(entity, values);
        }
        return entity;
    }

    private void ReadValues(ref Utf8JsonReader reader, Dictionary<string, object> values)
    {
        _types.Clear();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = _names.Next(ref reader);
            reader.Read();
            if (name.Annotates is { } target)
                _types.Add((target, reader.GetString() ?? ""));
            else if (name.Text == PropertyNames.Metadata)
                reader.Skip();
            else
                values[name.Text] = ReadValue(ref reader, TypeOf(name.Text))!;
        }
        // Annotations normally come before what they describe; those that came after are applied here.
        foreach (var (name, type) in _types)
        {
            if (values.TryGetValue(name, out var raw))
                values[name] = PropertyTypes.Typed(raw, type)!;
        }
    }

    private string? TypeOf(string name)
    {
        for (var i = _types.Count - 1; i >= 0; i--)
        {
            if (_types[i].Name == name)
            {
                var type = _types[i].Type;
                _types.RemoveAt(i);
                return type;
            }
        }
        return name == PropertyNames.Timestamp ? PropertyTypes.DateTime : null;
    }

    private static object? ReadValue(ref Utf8JsonReader reader, string? type)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return type switch
                {
                    PropertyTypes.Binary => reader.GetBytesFromBase64(),
                    PropertyTypes.DateTime when reader.TryGetDateTimeOffset(out var time) => time.ToUniversalTime(),
                    PropertyTypes.Guid when reader.TryGetGuid(out var id) => id,
                    null => reader.GetString(),
                    _ => PropertyTypes.Typed(reader.GetString(), type),
                };
            case JsonTokenType.Number when reader.TryGetInt32(out var number):
                return PropertyTypes.Typed(number, type ?? "");
            case JsonTokenType.Number when reader.TryGetInt64(out var number):
                return PropertyTypes.Typed(number, type ?? "");
            case JsonTokenType.Number:
                return reader.GetDouble();
            case JsonTokenType.True:
                return true;
            case JsonTokenType.False:
                return false;
            case JsonTokenType.Null:
                return null;
            default:
                throw new JsonException($"A property of an entity cannot be a {reader.TokenType}.");
        }
    }
}

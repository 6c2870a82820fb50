using System.Text.Json;

namespace Azure.Data.Tables.Internal;

/// <summary>Property names met so far. Rows repeat them in the same order, so the next is mostly known.</summary>
internal sealed class NameTable
{
    private readonly List<Name> _names = [];
    private int _next;

    public int Count => _names.Count;

    public Name Next(ref Utf8JsonReader reader)
    {
        for (var tried = 0; tried < _names.Count; tried++)
        {
            if (_next >= _names.Count)
                _next = 0;
            var known = _names[_next++];
            if (reader.ValueTextEquals(known.Text))
                return known;
        }
        var text = reader.GetString()!;
        var annotates = text.EndsWith(PropertyNames.TypeSuffix, StringComparison.Ordinal)
            ? text[..^PropertyNames.TypeSuffix.Length]
            : null;
        var name = new Name(text, annotates);
        _names.Add(name);
        _next = _names.Count;
        return name;
    }

    /// <param name="Text">The property's name.</param>
    /// <param name="Annotates">For a type annotation, the property whose type it gives.</param>
    internal sealed record Name(string Text, string? Annotates);
}

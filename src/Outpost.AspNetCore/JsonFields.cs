using System.Globalization;
using System.Text.Json;
using Outpost.AspNetCore.OpenApi;

namespace Outpost.AspNetCore;

/// <summary>
/// Reads the fields of a JSON object and collects what is wrong with them: the field, its value, and what is allowed. A
/// value that is not allowed reads as a default. Callers ask <see cref="Problem"/> before they use any value.
/// </summary>
public sealed class JsonFields
{
    // These are enough to correct a request. A hostile request gets no long answer.
    private const int ErrorsMax = 20;

    private readonly JsonElement _object;
    private readonly string _path;
    private readonly List<string> _errors;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly FieldSchema? _schema;

    /// <summary>Reads the fields of a body.</summary>
    internal JsonFields(JsonElement @object)
        : this(@object, "", [])
    {
    }

    private JsonFields(JsonElement @object, string path, List<string> errors, FieldSchema? schema = null)
    {
        _object = @object;
        _path = path;
        _errors = errors;
        _schema = schema;
    }

    /// <summary>
    /// The schema of what <paramref name="read"/> accepts. It runs once without a body, and gets the smallest value of
    /// each required member.
    /// </summary>
    internal static FieldSchema Describe(Action<JsonFields> read)
    {
        var schema = new FieldSchema();
        read(new JsonFields(default, "", [], schema));
        return schema;
    }

    /// <summary>Everything that is wrong, including members that nobody asked for; null: all is well.</summary>
    internal Problem? Problem()
    {
        RefuseOthers();
        return _errors.Count == 0
            ? null
            : AspNetCore.Problem.BadRequest(string.Join(" ", _errors.Take(ErrorsMax))).With("errors", _errors.Take(ErrorsMax).ToArray());
    }

    /// <summary>
    /// Reads a string of <paramref name="min"/> to <paramref name="max"/> characters without control characters.
    /// </summary>
    public string Text(string name, int min, int max) => Text(name, min, max, required: true, allowed: null, allowedText: null, pattern: null) ?? "";

    /// <summary>
    /// Reads a string of <paramref name="min"/> to <paramref name="max"/> characters; null when the member is missing
    /// or null.
    /// </summary>
    /// <param name="name">Name of the member.</param>
    /// <param name="min">The fewest characters.</param>
    /// <param name="max">The most characters.</param>
    /// <param name="allowed">Which texts of that length are allowed. Default: all without control characters.</param>
    /// <param name="allowedText">The allowed texts in words, for the error.</param>
    /// <param name="pattern">The allowed texts as an ECMAScript pattern, for the OpenAPI document. Empty: any text.</param>
    public string? OptionalText(
        string name, int min, int max, Func<string, bool>? allowed = null, string? allowedText = null, string? pattern = null) =>
        Text(name, min, max, required: false, allowed, allowedText, pattern);

    private string? Text(string name, int min, int max, bool required, Func<string, bool>? allowed, string? allowedText, string? pattern)
    {
        if (_schema?.Text(name, min, max, required, allowed is null ? null : pattern ?? "") is { } sample) return required ? sample : null;
        var wanted = allowedText ?? $"a string of {min} to {max} characters without control characters";
        if (!Find(name, required, wanted, out var value)) return null;
        if (value.ValueKind == JsonValueKind.String && TryGetText(value, out var text) && HasLength(text, min, max) &&
            (allowed?.Invoke(text) ?? !text.Any(char.IsControl)))
            return text;
        Refuse(name, value, wanted);
        return null;
    }

    /// <summary>Reads a whole number from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public int Integer(string name, int min, int max) => (int)Long(name, min, max);

    /// <summary>Reads a whole number from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public long Long(string name, long min, long max) => OptionalLong(name, min, max, required: true) ?? default;

    /// <summary>
    /// Reads a whole number from <paramref name="min"/> to <paramref name="max"/>; null when the member is missing or
    /// null.
    /// </summary>
    public int? OptionalInteger(string name, int min, int max) => (int?)OptionalLong(name, min, max, required: false);

    private long? OptionalLong(string name, long min, long max, bool required)
    {
        if (_schema?.Integer(name, min, max, required) is { } sample) return required ? sample : null;
        var wanted = string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}");
        if (!Find(name, required, wanted, out var value)) return null;
        if (NumberOf(value) is { Decimals: <= 0 } parsed && parsed.ToDecimal() is { } number && number >= min && number <= max) return (long)number;
        Refuse(name, value, wanted);
        return null;
    }

    /// <summary>
    /// Reads a number from <paramref name="min"/> to <paramref name="max"/> with at most <paramref name="decimals"/>
    /// decimal places.
    /// </summary>
    public decimal Decimal(string name, decimal min, decimal max, int decimals)
    {
        if (_schema is not null) return _schema.Decimal(name, min, max, decimals);
        var wanted = string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max} with at most {decimals} decimal places");
        if (!Find(name, required: true, wanted, out var value)) return default;
        var parsed = NumberOf(value);
        if (parsed?.Decimals <= decimals && parsed?.ToDecimal() is { } number && number >= min && number <= max) return number;
        // A price seldom has fifteen digits or more. Such a number usually comes from binary arithmetic.
        Refuse(name, value, wanted, parsed is { Digits.Length: >= 15 } rest && rest.Decimals > decimals
            ? $" Round it to {decimals} places before sending: binary floating-point numbers, such as JavaScript's, leave small errors after arithmetic."
            : "");
        return default;
    }

    /// <summary>Whether the body has the member, and it is not null.</summary>
    internal bool Has(string name) =>
        _object.ValueKind == JsonValueKind.Object && _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Reads a time of RFC 3339.</summary>
    public DateTimeOffset Time(string name)
    {
        const string Wanted = "a time such as 2026-11-22T08:00:00Z";
        _schema?.Time(name);
        if (!Find(name, required: true, Wanted, out var value)) return default;
        if (value.ValueKind == JsonValueKind.String && TryGetText(value, out var text) && Rfc3339.TryParse(text, out var time)) return time;
        Refuse(name, value, Wanted);
        return default;
    }

    /// <summary>
    /// Reads an array of <paramref name="min"/> to <paramref name="max"/> strings of 1 to <paramref name="characters"/>
    /// characters each; null when the member is missing or null.
    /// </summary>
    public IReadOnlyList<string>? OptionalTexts(string name, int min, int max, int characters)
    {
        _schema?.Texts(name, min, max, characters);
        var wanted = string.Create(CultureInfo.InvariantCulture, $"an array of {min} to {max} strings of 1 to {characters} characters");
        if (!Find(name, required: false, wanted, out var value)) return null;
        var texts = new List<string>();
        var isAllowed = value.ValueKind == JsonValueKind.Array && value.GetArrayLength() >= min && value.GetArrayLength() <= max;
        foreach (var item in isAllowed ? value.EnumerateArray() : default)
        {
            if (item.ValueKind == JsonValueKind.String && TryGetText(item, out var text) && HasLength(text, 1, characters)) texts.Add(text);
            else isAllowed = false;
        }

        if (isAllowed) return texts;
        Refuse(name, value, wanted);
        return null;
    }

    /// <summary>Reads an array of <paramref name="min"/> to <paramref name="max"/> objects.</summary>
    public IReadOnlyList<T> Objects<T>(string name, int min, int max, Func<JsonFields, T> read)
    {
        if (_schema is not null)
        {
            T item = default!;
            _schema.Objects(name, min, max, Describe(fields => item = read(fields)));
            return [.. Enumerable.Repeat(item, min)];
        }

        var wanted = string.Create(CultureInfo.InvariantCulture, $"an array of {min} to {max} objects");
        if (!Find(name, required: true, wanted, out var value)) return [];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() < min || value.GetArrayLength() > max ||
            value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object))
        {
            Refuse(name, value, wanted);
            return [];
        }

        var items = new List<T>(value.GetArrayLength());
        foreach (var item in value.EnumerateArray())
        {
            var fields = new JsonFields(item, string.Create(CultureInfo.InvariantCulture, $"{_path}{name}[{items.Count}]."), _errors);
            items.Add(read(fields));
            fields.RefuseOthers();
        }

        return items;
    }

    private void RefuseOthers()
    {
        if (_object.ValueKind != JsonValueKind.Object) return;
        foreach (var member in _object.EnumerateObject().Where(member => !_known.Contains(member.Name)))
            _errors.Add($"{_path}{Shown(member.Name)}: there is no such field.");
    }

    private bool Find(string name, bool required, string wanted, out JsonElement value)
    {
        _known.Add(name);
        value = default;
        if (_object.ValueKind == JsonValueKind.Object && _object.TryGetProperty(name, out value) &&
            (required || value.ValueKind != JsonValueKind.Null))
            return true;
        if (required) _errors.Add($"{_path}{name}: is missing; {wanted} is needed.");
        return false;
    }

    private void Refuse(string name, JsonElement value, string wanted, string hint = "") =>
        _errors.Add($"{_path}{name}: '{Shown(value.GetRawText())}' is not allowed; {wanted} is.{hint}");

    private static JsonNumber? NumberOf(JsonElement value) => value.ValueKind == JsonValueKind.Number ? JsonNumber.Of(value.GetRawText()) : null;

    // JSON Schema counts code points: an emoji is one character, not two.
    private static bool HasLength(string text, int min, int max)
    {
        var characters = text.EnumerateRunes().Count();
        return characters >= min && characters <= max;
    }

    // A string with an unpaired surrogate escape is valid JSON, but not text.
    private static bool TryGetText(JsonElement value, out string text)
    {
        try
        {
            text = value.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}

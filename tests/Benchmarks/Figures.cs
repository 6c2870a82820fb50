using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Outpost.Tests.Benchmarks;

/// <summary>
/// The figures of a run, by key, in the order they came: a number is the median of its samples; lists and texts stand
/// as they are. Written as one flat JSON object.
/// </summary>
internal sealed class Figures
{
    private const int Digits = 4;
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // a file, not a web page
    };

    private readonly Dictionary<string, Figure> _figures = new(StringComparer.Ordinal);
    private readonly List<string> _keys = [];

    /// <summary>One more measurement of a number, for example one round's.</summary>
    /// <param name="key">Its name, for good: other programs read it.</param>
    /// <param name="value">What was measured.</param>
    /// <param name="unit">What it counts.</param>
    /// <param name="limit">What keeps it from being better; the last one given is shown.</param>
    public void Sample(string key, double value, string unit, string limit)
    {
        var figure = Of(key, unit, limit);
        figure.Samples.Add(value);
        figure.Limit = limit;
    }

    /// <summary>A list or a text.</summary>
    public void Set(string key, JsonNode value, string unit = "", string limit = "") => Of(key, unit, limit).Value = value;

    /// <summary>The median of what was measured so far.</summary>
    public double Median(string key) => _figures[key].Median;

    /// <summary>A line per figure: key, value, unit, the samples' range where there are several, what limits it.</summary>
    public void Print(TextWriter output)
    {
        var keyWidth = _keys.Max(key => key.Length);
        foreach (var key in _keys)
        {
            var figure = _figures[key];
            output.WriteLine(figure.Value is { } value
                ? $"{key.PadRight(keyWidth)}  {value} {figure.Unit} {figure.Limit}".TrimEnd()
                : $"{key.PadRight(keyWidth)}  {Text(figure.Median),10} {figure.Unit,-14} {figure.Range(),-19} {figure.Limit}".TrimEnd());
        }
    }

    public void Write(string file)
    {
        var all = new JsonObject();
        foreach (var key in _keys)
        {
            var figure = _figures[key];
            all[key] = figure.Value?.DeepClone() ?? JsonValue.Create(Round(figure.Median));
            foreach (var (name, text) in new[] { ("unit", figure.Unit), ("limit", figure.Limit), ("range", figure.Range()) })
            {
                if (text.Length > 0) all[$"{key}.{name}"] = text;
            }
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        File.WriteAllText(file, all.ToJsonString(Readable) + "\n");
    }

    private Figure Of(string key, string unit, string limit)
    {
        if (_figures.TryGetValue(key, out var figure)) return figure;
        _keys.Add(key);
        return _figures[key] = new Figure { Unit = unit, Limit = limit };
    }

    private static string Text(double value) => Round(value).ToString("0.#####", CultureInfo.InvariantCulture);

    /// <summary>More digits than these would only be noise.</summary>
    private static double Round(double value) =>
        double.Parse(value.ToString($"G{Digits}", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private sealed class Figure
    {
        public required string Unit { get; init; }

        public required string Limit { get; set; }

        public JsonNode? Value { get; set; }

        public List<double> Samples { get; } = [];

        public double Median
        {
            get
            {
                var sorted = Samples.Order().ToArray();
                var middle = sorted.Length / 2;
                return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
            }
        }

        public string Range() => Samples.Count > 1 ? $"{Text(Samples.Min())} to {Text(Samples.Max())}" : "";
    }
}

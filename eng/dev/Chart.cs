using System.Globalization;
using System.Net;
using System.Text;

namespace Outpost.Dev;

/// <summary>One line of a chart.</summary>
internal sealed record ChartLine(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Draws charts as SVG that can be read on light and dark backgrounds.</summary>
internal static class Chart
{
    private const int Width = 720;
    private const int Height = 360;
    private const int Left = 70;
    private const int Right = 150;
    private const int Top = 50;
    private const int Bottom = 50;
    private static readonly string[] Colours = ["#2f6fde", "#d0662b"];

    /// <summary>Draws lines over an axis where each doubling takes the same room, from zero up.</summary>
    public static string Lines(string title, string xName, IReadOnlyList<ChartLine> lines)
    {
        var xs = lines.SelectMany(line => line.Points).Select(point => point.X).Distinct().Order().ToList();
        return Draw(title, xName, lines, xs, Math.Log2, radius: 4);
    }

    /// <summary>Draws lines over time, from zero up.</summary>
    public static string OverTime(string title, string xName, IReadOnlyList<ChartLine> lines)
    {
        var most = lines.SelectMany(line => line.Points).Max(point => point.X);
        var step = Math.Max(1, Step(most));
        return Draw(title, xName, lines, [.. Enumerable.Range(0, (int)(most / step) + 1).Select(mark => mark * step)], x => x, radius: 1.5);
    }

    private static string Draw(string title, string xName, IReadOnlyList<ChartLine> lines, List<double> marks, Func<double, double> scale, double radius)
    {
        var most = Math.Max(marks[^1], lines.SelectMany(line => line.Points).Max(point => point.X));
        var (first, last) = (scale(marks[0]), scale(most));
        var step = Step(lines.SelectMany(line => line.Points).Max(point => point.Y));
        var top = step * Math.Ceiling(lines.SelectMany(line => line.Points).Max(point => point.Y) / step);
        double X(double x) => Left + ((Width - Left - Right) * (last > first ? (scale(x) - first) / (last - first) : 0.5));
        double Y(double y) => Height - Bottom - ((Height - Top - Bottom) * y / top);

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" role="img" aria-label="{Escaped(title)}" font-family="system-ui, sans-serif" font-size="13">
            <rect width="{Width}" height="{Height}" fill="#ffffff"/>
            <g fill="#333333">
            <text x="{Left}" y="24" font-size="15" font-weight="600">{Escaped(title)}</text>
            <text x="{(Left + Width - Right) / 2}" y="{Height - 10}" text-anchor="middle">{Escaped(xName)}</text>

            """);
        for (var y = 0.0; y <= top * 1.001; y += step)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(y):0.#}\" y2=\"{Y(y):0.#}\" stroke=\"#dddddd\"/>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{Y(y) + 4:0.#}\" text-anchor=\"end\">{y:#,0}</text>\n");
        }

        foreach (var x in marks) svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(x):0.#}\" y=\"{Height - Bottom + 20}\" text-anchor=\"middle\">{x:0}</text>\n");
        svg.Append("</g>\n");
        foreach (var (line, number) in lines.Select((line, number) => (line, number)))
        {
            var colour = Colours[number % Colours.Length];
            var points = string.Join(' ', line.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X):0.#},{Y(point.Y):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>\n");
            foreach (var (x, y) in line.Points) svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(x):0.#}\" cy=\"{Y(y):0.#}\" r=\"{radius}\" fill=\"{colour}\"><title>{x:0}: {y:#,0}</title></circle>\n");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right + 12}\" y=\"{Y(line.Points[^1].Y) + 4:0.#}\" fill=\"{colour}\">{Escaped(line.Name)}</text>\n");
        }

        return svg.Append("</svg>\n").ToString();
    }

    // Marks are at 1, 2 or 5 times a power of ten. There are four to nine of them.
    private static double Step(double max)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(max)));
        return power * ((max / power) switch { <= 2 => 0.25, <= 5 => 0.5, _ => 1 });
    }

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);
}

using System.Text.Json;

namespace Outpost.Dev;

internal static class JsonFiles
{
    public static IReadOnlyList<string> Find(string root, IEnumerable<string> files) =>
    [
        .. files.Where(file => file.EndsWith(".json", StringComparison.Ordinal))
            .Select(file => Problem(root, file))
            .OfType<string>(),
    ];

    private static string? Problem(string root, string file)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, file)));
            return null;
        }
        catch (JsonException exception)
        {
            return $"{file}: {exception.Message}";
        }
    }
}

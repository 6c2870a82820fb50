namespace Outpost.AspNetCore;

/// <summary>Checks ids of entities in paths and bodies.</summary>
public static class EntityId
{
    /// <summary>The same as <see cref="IsAllowed"/>, for the OpenAPI document.</summary>
    internal const string Pattern = @"^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,100}$";

    private const int CharactersMax = 100;

    /// <summary>
    /// Whether a text may be an id: 1 to 100 characters of <c>A-Za-z0-9._~-</c>, but not <c>.</c> or <c>..</c>. Clients
    /// and proxies remove those two from a path, percent-encoded or not, so nobody could ask for such an entity.
    /// </summary>
    public static bool IsAllowed(string id) => id.Length is >= 1 and <= CharactersMax && id.All(IsCharacter) && id is not ("." or "..");

    /// <summary>Reads a member of a command's body that may name the entity; null: it is left out.</summary>
    public static string? Optional(JsonFields body, string name) => body.OptionalText(
        name, 1, CharactersMax, allowed: IsAllowed, allowedText: $"1 to {CharactersMax} characters of A-Za-z0-9._~- other than . and ..", pattern: Pattern);

    private static bool IsCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '~' or '-';
}

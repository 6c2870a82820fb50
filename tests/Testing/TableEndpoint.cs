namespace Outpost.Tests.Testing;

/// <summary>Where a connection string says that tables are.</summary>
internal static class TableEndpoint
{
    private const string Setting = "TableEndpoint=";

    /// <summary>Scheme, host and port.</summary>
    public static string Authority(string connectionString) => Of(connectionString).GetLeftPart(UriPartial.Authority);

    /// <summary>The same account, reached through something that listens at <paramref name="address"/>.</summary>
    public static string Through(string connectionString, string address) => string.Join(';', connectionString.Split(';').Select(
        setting => setting.StartsWith(Setting, StringComparison.Ordinal) ? $"{Setting}{address}{Of(connectionString).AbsolutePath}" : setting));

    private static Uri Of(string connectionString) =>
        new(connectionString.Split(';').Single(setting => setting.StartsWith(Setting, StringComparison.Ordinal))[Setting.Length..]);
}

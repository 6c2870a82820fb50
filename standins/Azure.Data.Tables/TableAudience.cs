#nullable disable annotations // like the real surface

using System.ComponentModel;

namespace Azure.Data.Tables;

/// <summary>Whose tokens are asked for.</summary>
public readonly struct TableAudience : IEquatable<TableAudience>
{
    private readonly string _value;

    public TableAudience(string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        _value = value;
    }

    public static TableAudience AzureChina { get; } = new("https://storage.azure.cn");

    public static TableAudience AzureGovernment { get; } = new("https://storage.azure.us");

    public static TableAudience AzurePublicCloud { get; } = new("https://storage.azure.com");

    public static implicit operator TableAudience(string value) => new(value);

    public static bool operator ==(TableAudience left, TableAudience right) => left.Equals(right);

    public static bool operator !=(TableAudience left, TableAudience right) => !left.Equals(right);

    public bool Equals(TableAudience other) =>
        string.Equals(_value, other._value, StringComparison.InvariantCultureIgnoreCase);

    [EditorBrowsable(EditorBrowsableState.Never)]
    public override bool Equals(object obj) => obj is TableAudience other && Equals(other);

    [EditorBrowsable(EditorBrowsableState.Never)]
    public override int GetHashCode() => StringComparer.InvariantCultureIgnoreCase.GetHashCode(_value ?? "");

    public override string ToString() => _value;

    internal string Scope => _value.EndsWith('/') ? _value + ".default" : _value + "/.default";
}

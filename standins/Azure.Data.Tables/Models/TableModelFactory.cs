#nullable disable annotations // like the real surface

namespace Azure.Data.Tables.Models;

/// <summary>Makes models for tests.</summary>
public static class TableModelFactory
{
    /// <summary>Only the name is kept; the rest is what the wire also carries.</summary>
    public static TableItem TableItem(
        string name = null, string odataType = null, string odataId = null, string odataEditLink = null) => new(name);
}

namespace Outpost.Dev;

/// <summary>Packages that are used together, real or as stand-ins: a feed that lacks one of them lacks the family.</summary>
internal sealed record PackageFamily(string Name, string IdStart)
{
    public static IReadOnlyList<PackageFamily> All { get; } =
    [
        new("Tables", "Azure.Data.Tables"),
        new("ServiceBus", "Azure.Messaging.ServiceBus"),
        new("Worker", "Microsoft.Azure.Functions.Worker"),
    ];

    public bool Has(string packageId) => packageId.StartsWith(IdStart, StringComparison.OrdinalIgnoreCase);
}

/// <summary>What restoring a family on its own showed.</summary>
internal enum FeedAnswer
{
    /// <summary>All packages are there, in the wanted versions.</summary>
    Complete,

    /// <summary>The feed answered, and lacks a package or its version.</summary>
    Lacking,

    /// <summary>The feed could not be asked, so nothing is known.</summary>
    Unreachable,

    /// <summary>The restore failed for a reason of its own.</summary>
    Failed,
}

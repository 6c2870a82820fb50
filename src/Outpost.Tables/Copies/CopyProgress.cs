namespace Outpost.Tables.Copies;

/// <summary>The progress of a backup, restore or verification.</summary>
/// <param name="What">The part of the work, in words.</param>
/// <param name="Done">Rows done so far.</param>
/// <param name="Total">Rows in all; null while the number is unknown.</param>
internal readonly record struct CopyProgress(string What, long Done, long? Total);

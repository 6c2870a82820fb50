namespace Outpost.Tables.Copies;

/// <summary>How far long work has come.</summary>
/// <param name="What">Part of the work, in words.</param>
/// <param name="Done">Rows that are done.</param>
/// <param name="Total">Of how many; null: nobody knows yet.</param>
internal readonly record struct CopyProgress(string What, long Done, long? Total);

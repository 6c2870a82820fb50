namespace Outpost.Tables.Copies;

/// <summary>
/// Finds the offset at which a copy under load may end. Entities are read one after the other while commands go on. So the copy
/// may hold a state without its event, or an event with an older state. A cut is right when the copy holds neither: each copied
/// entity has the version that its last event below the cut gave it.
/// </summary>
internal static class ConsistentCut
{
    /// <summary>The cut; null if no offset is right, and what was committed meanwhile must be copied again. Pure.</summary>
    /// <param name="from">
    /// The head before the entities in <paramref name="copied"/> were read: the copy holds everything below it.
    /// </param>
    /// <param name="commits">The commits from that offset on, until after the last of these entities was read.</param>
    /// <param name="copied">Versions, by subject, of the entities read after <paramref name="from"/>. All others were read before.</param>
    public static long? Find(long from, IReadOnlyList<CommittedEntities> commits, IReadOnlyDictionary<string, long> copied)
    {
        var cut = from;
        foreach (var commit in commits)
        {
            if (commit.Versions.Any(one => IsCopied(one.Key, one.Value))) cut = commit.End;
        }

        return commits.Where(commit => commit.End <= cut).All(commit => commit.Versions.All(one => IsCopied(one.Key, one.Value))) ? cut : null;

        bool IsCopied(string subject, long version) => copied.TryGetValue(subject, out var has) && has >= version;
    }
}

namespace Outpost.Tables.Copies;

/// <summary>
/// Where a copy under load may end. Entities are read one after the other while commands go on, so a copy may hold a state whose
/// event it does not hold, or an event whose state is older. A cut is right when neither is so: each entity that was copied has
/// the version that the last event below the cut gave it.
/// </summary>
internal static class ConsistentCut
{
    /// <summary>The cut; null: no offset is right, and what was committed meanwhile has to be copied again. Pure.</summary>
    /// <param name="from">
    /// The head before the entities in <paramref name="copied"/> were read: everything below it is in the copy.
    /// </param>
    /// <param name="commits">What was committed from there on, until after the last of them was read.</param>
    /// <param name="copied">Versions of the entities that were read after <paramref name="from"/>; all others were read before.</param>
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

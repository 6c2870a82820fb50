namespace Outpost.Tables;

/// <summary>
/// The writers that wait for their turn. The head names those in line, in order. A writer that the head does not name yet has a row with
/// its place. The next one to commit reads these rows, and names their writers at the end of the line.
/// </summary>
/// <param name="me">This writer's name.</param>
internal sealed class WriterLine(string me)
{
    // More than a partition can serve within the five seconds that a writer waits. The others keep their rows.
    private const int WritersMax = 128;
    private const int ServedMax = 1_000;
    private const char Separator = ',';

    private string[] _named = [];
    private IReadOnlyList<WriterPlace> _waiting = [];

    // The number of the last commit of each writer. The row of a writer that was served may be there for a moment longer.
    private readonly Dictionary<string, long> _served = new(StringComparer.Ordinal);

    /// <summary>How many writers the head names.</summary>
    public int Length => _named.Length;

    /// <summary>Whether the head names this writer.</summary>
    public bool IsNamed => _named.Contains(me);

    /// <summary>How many others come before this writer. A writer that has no place yet comes last.</summary>
    public int Before => All().TakeWhile(name => name != me).Count();

    /// <summary>Another writer has committed.</summary>
    /// <param name="line">The line as the head says.</param>
    /// <param name="writer">Who has committed; null if it is not known.</param>
    public void Saw(string? line, (string Name, long Number)? writer)
    {
        // Processes come and go for years.
        if (_served.Count >= ServedMax) _served.Clear();
        if (writer is var (name, number)) _served[name] = number;
        var wasNamed = IsNamed;
        _named = line?.Split(Separator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        // A writer that is in line now sleeps. By the time it wakes up, those who wait today were named.
        _waiting = IsNamed && !wasNamed ? [] : [.. _waiting.Where(IsWaiting)];
    }

    /// <summary>The rows of those who wait were read. The one that waits longest comes first.</summary>
    public void SawWaiting(IEnumerable<WriterPlace> places) => _waiting = [.. places.Where(IsWaiting)];

    /// <summary>What was read of those who wait is too old.</summary>
    public void ForgetWaiting() => _waiting = [];

    /// <summary>The line as it is once this writer has committed; null if nobody is in it.</summary>
    /// <param name="goesOn">This writer commits once more before any other.</param>
    /// <param name="comesAgain">This writer will want another turn.</param>
    /// <param name="passesOver">Those before this writer did not come.</param>
    public string? After(bool goesOn, bool comesAgain, bool passesOver)
    {
        var others = All().Skip(passesOver ? Before : 0).Where(name => name != me).Take(WritersMax).ToList();
        if (others.Count == 0) return null;
        if (goesOn) others.Insert(0, me);
        else if (comesAgain) others.Add(me);
        return string.Join(Separator, others);
    }

    /// <summary>This writer has committed. Returns the keys of places that are needless now.</summary>
    /// <param name="line">The line as this writer's commit says.</param>
    /// <param name="number">The number of the commit.</param>
    public IReadOnlyList<string> Won(string? line, long number)
    {
        var waiting = _waiting;
        Saw(line, (me, number));
        _waiting = [];
        return [.. waiting.Where(place => place.Writer == me || _named.Contains(place.Writer)).Select(place => place.Key)];
    }

    private bool IsWaiting(WriterPlace place) => _served.GetValueOrDefault(place.Writer, -1) < place.Commit;

    private IEnumerable<string> All() => _named.Concat(_waiting.Select(place => place.Writer)).Distinct();
}

/// <summary>The place of a writer that the head does not name yet.</summary>
/// <param name="Writer">The writer's name.</param>
/// <param name="Commit">The number of the commit that it was taken for.</param>
/// <param name="Key">The key of its row.</param>
/// <param name="At">When the row was written, by the store's clock.</param>
internal sealed record WriterPlace(string Writer, long Commit, string Key, DateTimeOffset At);

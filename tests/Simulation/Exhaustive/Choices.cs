namespace Outpost.Tests.Simulation;

/// <summary>
/// Walks all ways to choose, one after the other: the first <paramref name="depth"/> real choices of a run, after which
/// the first possibility is always taken.
/// </summary>
/// <param name="depth">Choices that are walked through.</param>
internal sealed class Choices(int depth)
{
    private readonly List<(int Taken, int Of)> _path = [];
    private int _at;

    /// <summary>The most choices that a run had, walked through or not: where it is no more than the depth, nothing was left out.</summary>
    public int MostInARun { get; private set; }

    /// <summary>One of so many, numbered from 0. Where there is only one, it is no choice.</summary>
    public int Choose(int of)
    {
        if (of == 1) return 0;
        if (_at >= depth)
        {
            _at++;
            return 0;
        }

        if (_at == _path.Count) _path.Add((0, of));
        return _path[_at++].Taken;
    }

    /// <summary>Goes on to the next way; false: there is none.</summary>
    public bool Next()
    {
        MostInARun = Math.Max(MostInARun, _at);
        _at = 0;
        while (_path.Count > 0 && _path[^1].Taken + 1 == _path[^1].Of) _path.RemoveAt(_path.Count - 1);
        if (_path.Count == 0) return false;
        _path[^1] = (_path[^1].Taken + 1, _path[^1].Of);
        return true;
    }

    public override string ToString() => string.Join(' ', _path.Select(choice => choice.Taken));
}

namespace Outpost.Tests.Simulation;

/// <summary>Notes what went wrong; the first of it ends the world.</summary>
internal sealed class Judge(TimeProvider time, bool isTraced)
{
    // What a person reads.
    private const int TraceMax = 400;
    private readonly TaskCompletionSource _first = new();
    private readonly List<string> _wrong = [];
    private readonly Queue<string> _trace = new();

    public IReadOnlyList<string> Violations => _wrong;

    public IReadOnlyCollection<string> Trace => _trace;

    public bool IsTraced => isTraced;

    public bool IsOver => _wrong.Count > 0;

    /// <summary>Done as soon as something went wrong.</summary>
    public Task First => _first.Task;

    public void Wrong(string what)
    {
        _wrong.Add($"{Now}: {what}");
        Note($"WRONG: {what}");
        _first.TrySetResult();
    }

    public void Note(string what)
    {
        if (!isTraced) return;
        if (_trace.Count == TraceMax) _trace.Dequeue();
        _trace.Enqueue($"{Now} {what}");
    }

    private string Now => $"{time.GetElapsedTime(0).TotalSeconds,8:F3}";
}

namespace Outpost.Tests.Benchmarks;

/// <summary>What the run was asked for. dev.cs has looked at the arguments before; here they are only read.</summary>
/// <param name="Quick">One short round instead of five: is it all there, not how fast is it.</param>
/// <param name="Json">Where the figures are written; null: nowhere.</param>
/// <param name="Only">Runs the groups whose name begins so; empty: all.</param>
internal sealed record BenchmarkOptions(bool Quick, string? Json, string Only)
{
    public static BenchmarkOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchmarkOptions(Quick: false, Json: null, Only: "");
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var name))
        {
            options = name switch
            {
                "--quick" => options with { Quick = true },
                "--json" => options with { Json = rest.Dequeue() },
                "--only" => options with { Only = rest.Dequeue() },
                _ => throw new ArgumentException($"There is no option {name}.", nameof(arguments)),
            };
        }

        return options;
    }
}

namespace Outpost.Tests.Simulation;

/// <summary>Looks for a smaller plan of the same seed that goes wrong too, with a bounded number of tries.</summary>
internal static class Shrinking
{
    private const int TriesMax = 300;

    public static Plan Shrink(Plan plan)
    {
        var tries = 0;
        for (var smaller = true; smaller;)
        {
            smaller = false;
            foreach (var candidate in Smaller(plan).ToList())
            {
                if (++tries > TriesMax) return plan;
                if (World.Run(candidate).IsGood) continue;
                (plan, smaller) = (candidate, true);
                break;
            }
        }

        return plan;
    }

    // The larger steps first.
    private static IEnumerable<Plan> Smaller(Plan plan)
    {
        if (plan.CommandsPerCaller > 1) yield return plan with { CommandsPerCaller = plan.CommandsPerCaller / 2 };
        if (plan.Callers > 1) yield return plan with { Callers = plan.Callers / 2 };
        if (plan.History > 0) yield return plan with { History = plan.History / 2 };
        if (plan.Readers > 0) yield return plan with { Readers = 0 };
        if (plan.Consumers > 0) yield return plan with { Consumers = 0 };
        if (plan.Forwarders > 1) yield return plan with { Forwarders = 1 };
        if (plan.Processes > 2) yield return plan with { Processes = plan.Processes - 1 };
        if (plan.Growths.Count > 0) yield return plan with { Growths = [.. plan.Growths.SkipLast(1)] };
        if (plan.Partitions > 1) yield return plan with { Partitions = 1 };
        foreach (var kind in plan.Kinds.Order()) yield return plan with { Kinds = plan.Kinds.Where(one => one != kind).ToHashSet() };
        if (plan.CommandsPerCaller > 1) yield return plan with { CommandsPerCaller = plan.CommandsPerCaller - 1 };
        if (plan.Callers > 1) yield return plan with { Callers = plan.Callers - 1 };
    }
}

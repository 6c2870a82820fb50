using System.Reflection;
using Microsoft.Azure.Functions.Worker;

namespace Outpost.LocalHost;

/// <summary>A function as its attributes declare it.</summary>
internal sealed record FunctionDefinition(string Name, MethodInfo Method, FunctionTrigger Trigger)
{
    /// <summary>What the rest of the world calls the method: for messages.</summary>
    public string Origin => $"{Method.DeclaringType?.Name}.{Method.Name}";
}

internal abstract record FunctionTrigger;

/// <param name="Route">The template after the route prefix.</param>
/// <param name="Methods">In capitals; none means every method.</param>
/// <param name="Level">The key the function asks for once it runs in Azure; listed here, not enforced.</param>
internal sealed record HttpFunctionTrigger(string Route, IReadOnlyList<string> Methods, AuthorizationLevel Level)
    : FunctionTrigger
{
    public bool Shares(HttpFunctionTrigger other) =>
        Methods.Count == 0 || other.Methods.Count == 0 || Methods.Intersect(other.Methods).Any();
}

/// <param name="Schedule">As written: an NCRONTAB expression or <c>%setting%</c>.</param>
/// <param name="RunOnStartup">Runs once when the host starts, whatever the schedule.</param>
/// <param name="UseMonitor">Remembers runs, so that one missed while the host was down is made up for.</param>
internal sealed record TimerFunctionTrigger(string Schedule, bool RunOnStartup, bool UseMonitor) : FunctionTrigger;

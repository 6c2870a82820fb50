using System.Text.Json;
using Outpost.LocalHost.Protocol;

namespace Outpost.LocalHost;

/// <summary>A function as the worker describes it.</summary>
internal sealed record FunctionDefinition(string Name, FunctionTrigger Trigger)
{
    /// <summary>The worker's id of the function.</summary>
    public string Id { get; init; } = "";

    /// <summary>Reads a worker's description.</summary>
    /// <exception cref="StartException">The function has no trigger that this host knows.</exception>
    public static FunctionDefinition From(RpcFunctionMetadata metadata)
    {
        foreach (var text in metadata.RawBindings)
        {
            using var json = JsonDocument.Parse(text);
            var binding = json.RootElement;
            var trigger = Text(binding, "type")?.ToUpperInvariant() switch
            {
                "HTTPTRIGGER" => (FunctionTrigger)HttpFunctionTrigger.From(metadata.Name, binding),
                "TIMERTRIGGER" => TimerFunctionTrigger.From(binding),
                _ => null,
            };
            if (trigger is not null) return new FunctionDefinition(metadata.Name, trigger) { Id = metadata.FunctionId };
        }

        throw new StartException($"Function '{metadata.Name}' has neither an HTTP nor a timer trigger; this host runs no other.");
    }

    internal static string? Text(JsonElement binding, string name) =>
        binding.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    internal static bool Flag(JsonElement binding, string name, bool otherwise) => binding.TryGetProperty(name, out var value)
        ? value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && bool.TryParse(value.GetString(), out var flag) && flag)
        : otherwise;
}

internal abstract record FunctionTrigger(string Parameter);

/// <param name="Parameter">Name of the function's parameter.</param>
/// <param name="Route">The template after the route prefix.</param>
/// <param name="Methods">HTTP methods in capitals; none means every method.</param>
/// <param name="Level">
/// The key that the function asks for in Azure, in small letters. This host lists it and does not enforce it.
/// </param>
internal sealed record HttpFunctionTrigger(string Parameter, string Route, IReadOnlyList<string> Methods, string Level) : FunctionTrigger(Parameter)
{
    public static HttpFunctionTrigger From(string function, JsonElement binding) => new(
        FunctionDefinition.Text(binding, "name") ?? "req",
        FunctionDefinition.Text(binding, "route") is { Length: > 0 } route ? route : function,
        binding.TryGetProperty("methods", out var methods) && methods.ValueKind == JsonValueKind.Array
            ? [.. methods.EnumerateArray().Select(method => method.GetString()!.ToUpperInvariant())]
            : [],
        (FunctionDefinition.Text(binding, "authLevel") ?? "function").ToLowerInvariant());
}

/// <param name="Parameter">Name of the function's parameter.</param>
/// <param name="Schedule">The schedule as written: an NCRONTAB expression or <c>%setting%</c>.</param>
/// <param name="RunOnStartup">Whether it runs once when the host starts, whatever the schedule says.</param>
/// <param name="UseMonitor">
/// Whether the host remembers runs, so that it makes up for one that was missed while it was down.
/// </param>
internal sealed record TimerFunctionTrigger(string Parameter, string Schedule, bool RunOnStartup, bool UseMonitor) : FunctionTrigger(Parameter)
{
    public static TimerFunctionTrigger From(JsonElement binding) => new(
        FunctionDefinition.Text(binding, "name") ?? "timer",
        FunctionDefinition.Text(binding, "schedule") ?? "",
        FunctionDefinition.Flag(binding, "runOnStartup", false),
        FunctionDefinition.Flag(binding, "useMonitor", true));
}

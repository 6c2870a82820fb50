using Microsoft.Extensions.Configuration;

namespace Outpost.LocalHost;

/// <summary>Writes what the host says on standard output. The last line comes once the host accepts requests.</summary>
internal static class FunctionList
{
    public static async Task WriteAsync(
        TextWriter output, IReadOnlyList<FunctionDefinition> functions, IConfiguration configuration, Uri address)
    {
        var root = address.GetLeftPart(UriPartial.Authority);
        var prefix = HostSettings.RoutePrefix(configuration);
        await output.WriteLineAsync(
            "Outpost.LocalHost is a host for laptops and tests. It takes requests from this machine only, and asks for no keys.");
        foreach (var function in functions)
            await output.WriteLineAsync($"{function.Name}: {Describe(function, root, prefix, configuration)}");
        await output.WriteLineAsync($"Ready: {root}");
        await output.FlushAsync();
    }

    private static string Describe(
        FunctionDefinition function, string root, string prefix, IConfiguration configuration)
    {
        if (HostSettings.IsDisabled(configuration, function.Name))
            return "disabled";
        return function.Trigger switch
        {
            HttpFunctionTrigger http =>
                $"{Methods(http)}{root}/{FunctionRoutes.Template(prefix, http)}{Level(http.Level)}",
            TimerFunctionTrigger timer => $"timerTrigger {Schedule(timer, configuration)}",
            _ => "",
        };
    }

    private static string Schedule(TimerFunctionTrigger timer, IConfiguration configuration) =>
        HostSettings.Expand(configuration, timer.Schedule, missing => $"%{missing}% (this setting is missing, so the function does not run)");

    private static string Methods(HttpFunctionTrigger http) =>
        http.Methods.Count == 0 ? "" : $"[{string.Join(',', http.Methods)}] ";

    private static string Level(string level) => level switch
    {
        "anonymous" => "",
        "admin" => " (admin key in Azure)",
        _ => " (function key in Azure)",
    };
}

using System.Collections;
using Microsoft.Extensions.Hosting;

namespace Outpost.LocalHost;

/// <summary>All the host takes from outside: the app it runs, the console, the environment and the time.</summary>
internal sealed class Surroundings
{
    /// <summary>The types to look through for functions.</summary>
    public required IReadOnlyList<Type> Functions { get; init; }

    /// <summary>The app's own wiring, as its function app calls it.</summary>
    public required Action<IHostApplicationBuilder> Wire { get; init; }

    /// <summary>Reads environment variables; later ones with the same name, whatever the case, win.</summary>
    public Func<IEnumerable<KeyValuePair<string, string>>> Environment { get; init; } = ProcessEnvironment;

    /// <summary>Makes a local setting an environment variable, for libraries that read those directly.</summary>
    public Action<string, string> SetEnvironment { get; init; } = System.Environment.SetEnvironmentVariable;

    public TextReader In { get; init; } = Console.In;

    public TextWriter Out { get; init; } = Console.Out;

    public TextWriter Error { get; init; } = Console.Error;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Ends the host as a signal would.</summary>
    public CancellationToken Stop { get; init; }

    private static IEnumerable<KeyValuePair<string, string>> ProcessEnvironment() =>
        System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""));
}

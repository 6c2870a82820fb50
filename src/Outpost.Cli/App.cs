using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Outpost.Dev;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Outpost.Cli;

/// <summary>A running app, as the operator's commands see it.</summary>
internal sealed class App(HttpClient http, bool isSignedIn, bool isJson) : IDisposable
{
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(40);

    /// <exception cref="DevException">The address or the token is missing or malformed.</exception>
    public static App At(string? url, string? key, string? token, bool isJson)
    {
        var text = url ?? Environment.GetEnvironmentVariable("OUTPOST_URL") ?? throw new DevException("Where is the app? Give --url, or set OUTPOST_URL.");
        if (!Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new DevException($"--url: '{text}' is not allowed; an http or https address is.");
        var http = new HttpClient { BaseAddress = address, Timeout = AnswersWithin };
        if ((key ?? Environment.GetEnvironmentVariable("OUTPOST_KEY")) is { Length: > 0 } known) http.DefaultRequestHeaders.Add("x-functions-key", known);
        var bearer = token ?? Environment.GetEnvironmentVariable("OUTPOST_TOKEN");
        var isSignedIn = bearer is { Length: > 0 };
        if (isSignedIn && !http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {bearer}"))
            throw new DevException("--token: this is no token. Give what az account get-access-token prints.");
        return new App(http, isSignedIn, isJson);
    }

    /// <summary>A path with its query: the parameters that have a value.</summary>
    public static string Path(string path, params (string Name, object? Value)[] parameters)
    {
        var query = string.Join('&', parameters.Where(one => one.Value is not null)
            .Select(one => $"{one.Name}={Uri.EscapeDataString(Convert.ToString(one.Value, CultureInfo.InvariantCulture)!)}"));
        return query.Length == 0 ? path : $"{path}?{query}";
    }

    /// <summary>A JSON body of the members that have a value.</summary>
    public static JsonObject Body(params (string Name, JsonNode? Value)[] members) =>
        new(members.Where(one => one.Value is not null).Select(one => KeyValuePair.Create(one.Name, one.Value)));

    public void Dispose() => http.Dispose();

    /// <summary>Asks the app, and shows the answer.</summary>
    public async Task ShowAsync(string path, Func<JsonNode, IRenderable> table, CancellationToken stop)
    {
        var answer = await SendAsync(HttpMethod.Get, path, null, stop);
        if (isJson) Console.WriteLine(answer);
        else AnsiConsole.Write(table(JsonNode.Parse(answer)!));
    }

    /// <summary>Asks the app, and returns the answer for a later request.</summary>
    public async Task<JsonNode> ReadAsync(string path, CancellationToken stop) => JsonNode.Parse(await SendAsync(HttpMethod.Get, path, null, stop))!;

    /// <summary>Asks the app every few seconds, and shows the newest answer in place of the last.</summary>
    public async Task WatchAsync(string path, Func<JsonNode, IRenderable> table, int seconds, CancellationToken stop)
    {
        if (seconds is < 1 or > 3600) throw new DevException($"--every: '{seconds}' is not allowed; 1 to 3600 is.");
        await AnsiConsole.Live(new Text("…")).StartAsync(async live =>
        {
            while (!stop.IsCancellationRequested)
            {
                live.UpdateTarget(table(JsonNode.Parse(await SendAsync(HttpMethod.Get, path, null, stop))!));
                await Task.Delay(TimeSpan.FromSeconds(seconds), stop);
            }
        });
    }

    /// <summary>Asks the app to do something, and shows what came of it.</summary>
    public async Task AskAsync(HttpMethod method, string path, JsonObject? body, CancellationToken stop)
    {
        var answer = await SendAsync(method, path, body, stop);
        if (isJson) Console.WriteLine(answer.Length == 0 ? "{}" : answer);
        else if (answer.Length == 0) Console.WriteLine("Done.");
        else foreach (var (name, value) in JsonNode.Parse(answer)!.AsObject()) Console.WriteLine($"{name}: {value}");
    }

    /// <exception cref="DevException">The app did not answer, or refused.</exception>
    private async Task<string> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, isSignedIn ? Signed(path) : path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        try
        {
            using var answer = await http.SendAsync(request, stop);
            var text = await answer.Content.ReadAsStringAsync(stop);
            return answer.IsSuccessStatusCode ? text : throw new DevException(Refusal(answer.StatusCode, text));
        }
        catch (HttpRequestException e)
        {
            throw new DevException($"{http.BaseAddress} does not answer: {e.Message.TrimEnd('.')}. Is the address right, and does the app run?");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new DevException($"{http.BaseAddress} gave no answer within {AnswersWithin.TotalSeconds} seconds; health says why: {http.BaseAddress}api/health");
        }
    }

    // An operator who signs in asks below /api/operators, which has all operations. The feed is elsewhere, and takes no token.
    private static string Signed(string path) =>
        path.StartsWith("api/status", StringComparison.Ordinal) || path.StartsWith("api/forward", StringComparison.Ordinal) ? $"api/operators/{path[4..]}" : path;

    private string Refusal(HttpStatusCode status, string text)
    {
        if (status is HttpStatusCode.Unauthorized && !isSignedIn)
            return "The app needs a key. Give its admin key with --key, or sign in with --token (OUTPOST_KEY, OUTPOST_TOKEN).";
        try
        {
            if (JsonNode.Parse(text)?["detail"] is { } detail) return $"{(int)status}: {detail}";
        }
        catch (JsonException)
        {
            // The answer is not the app's own.
        }

        return $"{(int)status}: this answer does not come from an app on Outpost. Is the address right?";
    }
}

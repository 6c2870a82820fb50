using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Outpost.AspNetCore;
using Spectre.Console;
using Spectre.Console.Rendering;
using Answer = Outpost.Tests.Unit.Http.Answer;

namespace Outpost.Tests.Unit.Agreement;

/// <summary>What the dashboard and <c>outpost status</c> make of an answer of <c>GET /api/status</c>.</summary>
internal static class Shown
{
    private const string Headline =
        """
        globalThis.sessionStorage = { getItem: () => null, setItem: () => {} };
        let text = '';
        for await (const piece of process.stdin) text += piece;
        const { script, status, answer } = JSON.parse(text);
        const { headline, inWords, ApiError } = new Function(`${script}; return { headline, inWords, ApiError };`)();
        const { text: title, more } = status === 200
          ? headline(answer)
          : { text: 'The app can’t be asked right now.', more: inWords(new ApiError(status, 'problem', answer.detail, answer)) };
        console.log(`${title}\n${more}`);
        """;

    private static readonly Assembly Tool = Assembly.Load("Outpost.Cli");

    /// <summary>The headline and the line below it, as the page's own script makes them.</summary>
    public static async Task<string> PageAsync(Answer status)
    {
        var script = string.Concat(new[] { "words.js", "api.js" }.Select(name =>
        {
            using var file = new StreamReader(typeof(DashboardPage).Assembly.GetManifestResourceStream(name)!);
            return file.ReadToEnd();
        }));
        using var node = Process.Start(new ProcessStartInfo("node", ["--input-type=module", "--eval", Headline]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(new { script, status = status.Status, answer = status.Json }));
        node.StandardInput.Close();
        var shown = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.Equal(0, node.ExitCode);
        return shown.Trim();
    }

    /// <summary>What the tool prints. Its classes are internal, and hold code of dev.cs, which these tests see as well: so by their names.</summary>
    public static async Task<string> ToolAsync(Answer status)
    {
        using var http = new HttpClient(new Canned(status)) { BaseAddress = new Uri("http://app.example/") };
        var app = Activator.CreateInstance(Tool.GetType("Outpost.Cli.App")!, http, false, false)!;
        var reading = (Task<JsonNode>)app.GetType().GetMethod("ReadAsync")!.Invoke(app, ["api/status", CancellationToken.None])!;
        JsonNode answer;
        try
        {
            answer = await reading;
        }
        catch (Exception e) when (e.GetType().Name == "DevException")
        {
            return e.Message;
        }

        return Tools("Status", answer, 10_000);
    }

    /// <summary>What the tool prints of an answer in a terminal of so many columns.</summary>
    public static string Tools(string table, JsonNode answer, int columns)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = columns;
        console.Write((IRenderable)Tool.GetType("Outpost.Cli.Tables")!.GetMethod(table)!.Invoke(null, [answer])!);
        return text.ToString();
    }

    private sealed class Canned(Answer answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage((System.Net.HttpStatusCode)answer.Status) { Content = new ByteArrayContent(answer.Body) });
    }
}

using System.Diagnostics;

namespace Outpost.Dev;

/// <summary>Runs every check other than the tests, and lists the ones that failed.</summary>
internal sealed class CheckCommand(Repository repository, Shell shell)
{
    public async Task<int> RunAsync()
    {
        var tracked = await TrackedFilesAsync();
        (string Name, Func<Task<IReadOnlyList<string>>> Find)[] checks =
        [
            ("no traces of a machine or a registry", () => Task.FromResult(Traces.Find(repository.Root, tracked))),
            ("JSON files parse", () => Task.FromResult(JsonFiles.Find(repository.Root, tracked))),
            ("dependencies point inwards", () => Task.FromResult(ProjectDirection.Find(repository.Root))),
            ("scripts parse", () => ScriptsAsync(tracked)),
            ("words: spelling, style, links, Markdown", () => new Prose(repository, shell).FindAsync(tracked)),
            ("formatting", FormattingAsync),
            ("build with analyzers as errors", BuildAsync),
            ("what is published starts", PublishedAsync),
        ];
        var failed = 0;
        foreach (var (name, find) in checks)
        {
            var clock = Stopwatch.StartNew();
            var problems = await find();
            var word = problems.Count == 0 ? "ok    " : "FAILED";
            Console.WriteLine($"{word} {name} ({clock.Elapsed.TotalSeconds:0.0} s)");
            foreach (var problem in problems) Console.WriteLine($"       {problem}");
            if (problems.Count > 0) failed++;
        }

        Console.WriteLine(failed == 0 ? "All checks passed." : $"{failed} checks failed.");
        return failed == 0 ? 0 : 1;
    }

    /// <summary>
    /// The files that git has, with new files and without ignored ones. In an unpacked archive, all files that are
    /// there.
    /// </summary>
    private async Task<IReadOnlyList<string>> TrackedFilesAsync()
    {
        if (Path.Exists(repository.PathOf(".git")))
        {
            var list = await shell.RunAsync(
                "git", ["ls-files", "--cached", "--others", "--exclude-standard"], repository.Root);
            if (list.Succeeded) return [.. list.Lines.Where(file => File.Exists(repository.PathOf(file)))];
        }

        string[] generated = ["bin", "obj", "node_modules", "TestResults"];
        return
        [
            .. Directory.EnumerateFiles(repository.Root, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(repository.Root, file).Replace('\\', '/'))
                .Where(file => !file.Split('/').Intersect(generated).Any()),
        ];
    }

    private async Task<IReadOnlyList<string>> ScriptsAsync(IReadOnlyList<string> tracked)
    {
        var problems = new List<string>();
        foreach (var file in tracked.Where(each => each.EndsWith(".mjs", StringComparison.Ordinal)))
        {
            var check = await shell.RunAsync("node", ["--check", file], repository.Root);
            if (!check.Succeeded) problems.Add($"{file}: {check.Lines.FirstOrDefault(line => line.Contains("Error"))}");
        }

        return problems;
    }

    /// <summary>Checks whitespace only, over the folder. The build checks the other rules of .editorconfig, as errors.</summary>
    private async Task<IReadOnlyList<string>> FormattingAsync()
    {
        var format = await shell.RunAsync(
            "dotnet",
            [
                "format", "whitespace", ".", "--folder", "--verify-no-changes",
                "--exclude", "**/obj/**", "--exclude", "**/bin/**",
            ],
            repository.Root);
        if (format.Succeeded) return [];
        var root = repository.Root + Path.DirectorySeparatorChar;
        var problems = format.Lines.Select(line => line.Replace(root, "", StringComparison.Ordinal)).Distinct();
        return [.. problems, "dotnet format whitespace . --folder puts it right."];
    }

    private async Task<IReadOnlyList<string>> BuildAsync()
    {
        Environment.SetEnvironmentVariable("OutpostCheck", "true"); // Directory.Build.props: warnings are errors here
        using var turn = await repository.TakeTurnAsync(shell.Stopped);
        return await TryAsync(() => new Build(repository, shell).RunWholeAsync(Repository.Solution, "eng/dev"));
    }

    /// <summary>The Functions host starts from host.json. Settings of this machine must stay on it.</summary>
    private async Task<IReadOnlyList<string>> PublishedAsync()
    {
        var folder = Directory.CreateTempSubdirectory("outpost-published-").FullName;
        try
        {
            var publish = await shell.RunAsync(
                "dotnet",
                ["publish", "src/Functions", "--no-build", "-c", Build.Configuration, "-o", folder, "-nologo", "-v", "quiet"],
                repository.Root);
            if (!publish.Succeeded) return publish.Lines;
            string[] needed = ["host.json", "Outpost.Functions.dll", "Outpost.Functions.runtimeconfig.json"];
            return
            [
                .. needed.Where(file => !File.Exists(Path.Combine(folder, file))).Select(file => $"{file} is not published."),
                .. Directory.GetFiles(folder, "local.settings*").Select(file => $"{Path.GetFileName(file)} is published."),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<IReadOnlyList<string>> TryAsync(Func<Task> action)
    {
        try
        {
            await action();
            return [];
        }
        catch (DevException problem)
        {
            return [problem.Message];
        }
    }
}

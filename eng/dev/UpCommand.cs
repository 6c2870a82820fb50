namespace Outpost.Dev;

/// <summary>Runs the example app and everything that it needs, in one terminal.</summary>
internal sealed class UpCommand(Repository repository, Shell shell)
{
    private const string LocalHost = "src/LocalHost";
    private const string Functions = "src/Functions";
    private const string Shipping = "src/Shipping";

    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var withShipping = TakeWith(ref arguments);
        var options = UpOptions.Parse(arguments);
        if (StopSignal.ParentHasOption("--no-build")) options = options with { NoBuild = true };
        LocalStack.RefuseTakenPorts(options);
        var node = new NodePackages(shell);
        await node.EnsureNodeAsync();
        using (await repository.TakeTurnAsync(shell.Stopped)) await node.EnsureAsync(repository.LocalServices);
        Companion[] companions = withShipping ? [new Companion("shipping", Output(Shipping), options.Port == 0 ? 0 : options.Port + 1)] : [];
        return await new LocalStack(shell, repository.LocalServices).RunAsync(
            options, async () => (await BuildAsync(options.NoBuild, [.. withShipping ? [Functions, Shipping] : new[] { Functions }]), Output(Functions)), companions);
    }

    /// <summary>Builds what changed while the services start; returns the program.</summary>
    private async Task<string> BuildAsync(bool noBuild, string[] apps)
    {
        var program = Path.Combine(Output(LocalHost), "Outpost.LocalHost.dll");
        var inputs = new BuildInputs(repository, LocalHost);
        var isBuilt = File.Exists(program) && apps.All(app => File.Exists(Path.Combine(Output(app), $"Outpost.{Path.GetFileName(app)}.dll")));
        if (noBuild)
        {
            if (isBuilt) return program;
            throw new DevException("Nothing is built yet: leave --no-build out once.");
        }

        using var turn = await repository.TakeTurnAsync(shell.Stopped);
        if (isBuilt && inputs.AreAsBuilt(program)) return program;
        var description = inputs.Describe();
        Console.WriteLine(File.Exists(program) ? "Building what has changed." : "Restoring packages and building; the first time takes minutes.");
        await new Build(repository, shell).RunAsync([LocalHost, .. apps]);
        inputs.Remember(description);
        return program;
    }

    /// <summary>Takes <c>--with shipping</c> out of the arguments.</summary>
    /// <exception cref="DevException">There is no such app.</exception>
    internal static bool TakeWith(ref IReadOnlyList<string> arguments)
    {
        var words = arguments.SelectMany(each => each.StartsWith("--with=", StringComparison.Ordinal) ? each.Split('=', 2) : [each]).ToList();
        var at = words.IndexOf("--with");
        if (at < 0) return false;
        if (words.ElementAtOrDefault(at + 1) is not "shipping") throw new DevException($"--with {words.ElementAtOrDefault(at + 1)}: shipping is wanted, there is no other.");
        words.RemoveRange(at, 2);
        arguments = words;
        return true;
    }

    private string Output(string project) => repository.PathOf(project, "bin", Build.Configuration, "net10.0");
}

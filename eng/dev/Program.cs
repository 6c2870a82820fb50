using System.Globalization;
using Outpost.Dev;

const string Help = """
    dotnet run dev.cs <command>

      up        starts everything on this machine: Azurite, the Service Bus emulator, the functions
                --port 7071  --tables-port 10002  --bus-port 5672   (0 = any free one)
                --partitions 1  --data DIR (state survives)  --no-build
      test      runs the tests: all, or the groups named: unit simulation integration e2e browser
                what follows goes to dotnet test: test unit -- --filter Keys
      bench     runs the benchmarks and prints the figures
                --quick (one short round)  --json FILE  --only commit (groups whose name begins so)
                --page FILE (a page of them, with charts)  --page-only (of what --json has already)
      prove     drives two processes from outside, disturbs them, and checks what was promised
                --minutes 0.5  --seed N  --report FILE  --url URL (one that runs elsewhere)
      simulate  runs the seeded simulation; prints what fired and, on a violation, the seed that replays it
                --seeds 1000  --seed 0 (alone: that one, told step by step)  --minutes 5
                --broken (how many seeds it takes to notice what is broken on purpose)  --exhaustive 12
      check     formatting, analyzers, dependency direction, words, no traces of a machine
      doctor    what is installed, and which ports are free
    """;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var stop = new StopSignal();
var shell = new Shell(stop.Token);
var repository = Repository.Find();

try
{
    return args switch
    {
        ["up", .. var rest] => await new UpCommand(repository, shell).RunAsync(rest),
        ["test", .. var rest] => await new TestCommand(repository, shell).RunAsync(rest),
        ["check"] => await new CheckCommand(repository, shell).RunAsync(),
        ["doctor"] => await new DoctorCommand(repository, shell).RunAsync(),
        ["bench", .. var rest] => await new BenchCommand(repository, shell).RunAsync(rest),
        ["prove", .. var rest] => await new ProveCommand(repository, shell).RunAsync(rest),
        ["simulate", .. var rest] => await new SimulateCommand(repository, shell).RunAsync(rest),
        [] or ["help" or "--help" or "-h", ..] => Say(Help, exitCode: 0),
        _ => Say($"There is no command '{string.Join(' ', args)}'.\n{Help}", exitCode: 1),
    };
}
catch (DevException problem)
{
    Console.Error.WriteLine(problem.Message);
    return 1;
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    return 0; // asked to stop, and all that was started has stopped
}

static int Say(string text, int exitCode)
{
    Console.WriteLine(text);
    return exitCode;
}

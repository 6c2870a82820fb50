using System.Globalization;
using Outpost.Cli;
using Outpost.Dev;

const string Help = """
    outpost <command>

      up        starts the isolated Functions app of this folder, Azurite and the Service Bus emulator
                --port 7071  --tables-port 10002  --bus-port 5672   (0 = any free one)
                --partitions 1  --data DIR (state survives)  --no-build
    """;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var stop = new StopSignal();
try
{
    return args switch
    {
        ["up", .. var rest] => await new UpHere(new Shell(stop.Token), Environment.CurrentDirectory).RunAsync(rest),
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

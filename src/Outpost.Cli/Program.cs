using System.CommandLine;
using System.Globalization;
using Outpost.Cli;
using Outpost.Dev;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var stop = new StopSignal();
try
{
    // The command up has the options of dev.cs up, which reads them itself.
    if (args is ["up", .. var rest] && !rest.Contains("--help") && !rest.Contains("-h"))
        return await new UpHere(new Shell(stop.Token), Environment.CurrentDirectory).RunAsync(rest);
    return await Commands.Root().Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, stop.Token);
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

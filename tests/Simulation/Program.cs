using System.Globalization;
using Outpost.Tests.Simulation;

// The simulation: dotnet run dev.cs simulate [--seeds N] [--seed S] [--minutes M]. dotnet test runs the tests instead.
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
try
{
    return Runner.Run(RunOptions.Parse(args), Console.Out);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"simulate: {e.Message}");
    return 1;
}

using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;
using Outpost;
using Outpost.Functions;

try
{
    var builder = FunctionsApplication.CreateBuilder(args);
    builder.ConfigureFunctionsWebApplication();
    builder.AddOutpost();
    await builder.Build().RunAsync();
    return 0;
}
catch (Exception e) when (e is InvalidSettingException or LayoutMismatchException)
{
    // For whoever set it: a line that says what is wrong, and no stack.
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}

using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;

var builder = FunctionsApplication.CreateBuilder(args);
if (builder.Configuration["BUILT_IN_HTTP"] is null) builder.ConfigureFunctionsWebApplication();
if (builder.Configuration["REFUSES_ITS_SETTINGS"] is not null)
{
    Console.Error.WriteLine("REFUSES_ITS_SETTINGS is set; it must not be.");
    return 3;
}

await builder.Build().RunAsync();
return 0;

using Microsoft.Azure.Functions.Worker.Builder;
using Outpost;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.AddOutpostTelemetry().AddOutpost().AddServiceBus();
return await builder.Build().RunOutpostAsync();

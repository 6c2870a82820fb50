using Microsoft.Azure.Functions.Worker.Builder;
using Outpost;
using Outpost.Shipping;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.AddOutpostTelemetry().AddOutpost().AddShipping(builder.Configuration);
return await builder.Build().RunOutpostAsync();

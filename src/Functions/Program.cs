using Microsoft.Azure.Functions.Worker.Builder;
using Outpost;
using Outpost.Functions;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.AddOutpostTelemetry().AddOutpost()
    .AddServiceBus().AddRabbitMQ().AddKafka().AddRefunds(builder.Configuration);
return await builder.Build().RunOutpostAsync();

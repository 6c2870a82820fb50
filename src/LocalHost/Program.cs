using OpenTelemetry.Trace;
using Outpost.Functions;
using Outpost.LocalHost;

return await LocalHostApp.RunAsync(args, new Surroundings
{
    Functions = typeof(Wiring).Assembly.GetTypes(),
    Wire = builder =>
    {
        builder.AddOutpost();
        // Where telemetry is exported: the span of a request, which the Functions host would have from its worker.
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddSource("Microsoft.AspNetCore"));
    },
});

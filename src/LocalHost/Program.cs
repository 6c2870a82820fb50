using Outpost.Functions;
using Outpost.LocalHost;

return await LocalHostApp.RunAsync(args, new Surroundings
{
    Functions = typeof(Wiring).Assembly.GetTypes(),
    Wire = builder => builder.AddOutpost(),
});

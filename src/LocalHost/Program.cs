using Outpost.LocalHost;

return await LocalHostApp.RunAsync(args);

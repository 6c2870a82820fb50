#:sdk Aspire.AppHost.Sdk@13.6.4
#:package Aspire.Hosting.AppHost@13.6.5
#:package Polly.Core@8.8.0
#:package Nerdbank.MessagePack@1.3.88
#:property PublishAot=false
#:property ManagePackageVersionsCentrally=false
#:property GenerateDocumentationFile=false
#:property NoWarn=$(NoWarn);ASPIRE010
#:property UseSharedCompilation=false
// The local stack under Aspire: Azurite, the Service Bus emulator and the example app, with the logs, metrics and traces of all in
// Aspire's dashboard. No container engine is needed.
//   dotnet run infra/local/apphost.cs
using System.Runtime.CompilerServices;

const int TablesPort = 10002;
const int BusPort = 5672;
const int AppPort = 7071;
const string Tables =
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    + "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;";
const string Bus = "Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;";

// Everything listens on loopback: no certificate is needed.
Default("ASPIRE_ALLOW_UNSECURED_TRANSPORT", "true");
Default("ASPNETCORE_URLS", "http://127.0.0.1:18888");
Default("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "http://127.0.0.1:18889");
Default("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", "http://127.0.0.1:18890");
Default("ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS", "true");

var here = Here();
var root = Path.GetFullPath(Path.Combine(here, "..", ".."));
var app = Path.Combine(root, "src", "Functions", "bin", "Release", "net10.0");
var builder = DistributedApplication.CreateBuilder(args);

var packages = builder.AddExecutable("node-packages", "npm", here, "ci", "--no-audit", "--no-fund");
var tables = builder.AddExecutable("tables", "node", here, "azurite.mjs", "--port", $"{TablesPort}", "--in-memory").WaitForCompletion(packages);
var bus = builder.AddExecutable("service-bus", "node", here, "servicebus/main.mjs", "--port", $"{BusPort}", "--config", "servicebus.config.json").WaitForCompletion(packages);
var build = builder.AddExecutable("build", "dotnet", root, "build", "src/Functions", "-c", "Release", "-nologo", "-v", "quiet");
builder.AddExecutable("orders", "dotnet", root, "run", "-c", "Release", "--project", "src/LocalHost", "--", "--root", app, "--port", $"{AppPort}")
    .WithEnvironment("TableStorage", Tables)
    .WithEnvironment("ServiceBus", Bus)
    .WithEnvironment("FORWARDER_SCHEDULE", "* * * * * *")
    .WithHttpEndpoint(AppPort, isProxied: false)
    .WithUrlForEndpoint("http", url => (url.Url, url.DisplayText) = ("/api/dashboard", "Outpost's dashboard"))
    .WithOtlpExporter()
    .WaitForCompletion(build)
    .WaitFor(tables)
    .WaitFor(bus);

await builder.Build().RunAsync();

static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

static void Default(string name, string value)
{
    if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name))) Environment.SetEnvironmentVariable(name, value);
}

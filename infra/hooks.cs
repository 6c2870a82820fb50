#!/usr/bin/env dotnet
#:property PublishAot=false
#:property UseSharedCompilation=false

// What azd runs before and after it creates resources (azure.yaml). It asks Azure Resource Manager as whoever is signed in to azd.
//   dotnet run infra/hooks.cs region    refuses a region that has no Flex Consumption, before half of the resources exist
//   dotnet run infra/hooks.cs roles     waits until the app's roles are old enough to be in effect
// A question that cannot be asked stops nothing: azd goes on, and says itself what is wrong.

using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

// Roles take minutes to reach storage. A deployment a minute after them was seen to succeed (Azure/azure-dev, issue 8026); this is three times that.
var age = TimeSpan.FromSeconds(180);
var answerMax = TimeSpan.FromSeconds(30);

if (args is not ["region" or "roles"])
{
    Console.Error.WriteLine("dotnet run infra/hooks.cs region|roles");
    return 2;
}

// azd gives its environment to what it runs.
var subscription = Environment.GetEnvironmentVariable("AZURE_SUBSCRIPTION_ID");
if (string.IsNullOrEmpty(subscription)) return GoOn("azd has no subscription yet");
try
{
    // Another cloud has another endpoint.
    var endpoint = Environment.GetEnvironmentVariable("AZURE_RESOURCE_MANAGER") is { Length: > 0 } other ? other : "https://management.azure.com";
    using var manager = new HttpClient { BaseAddress = new Uri(endpoint), Timeout = answerMax };
    manager.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token());
    return args[0] == "region" ? await RegionAsync(manager) : await RolesAsync(manager);
}
catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or InvalidOperationException or JsonException or KeyNotFoundException or UriFormatException)
{
    return GoOn(exception.Message);
}

async Task<int> RegionAsync(HttpClient manager)
{
    var wanted = Environment.GetEnvironmentVariable("AZURE_LOCATION");
    if (string.IsNullOrEmpty(wanted)) return GoOn("azd has no region yet");
    var regions = await ValuesAsync(manager, $"/subscriptions/{subscription}/providers/Microsoft.Web/geoRegions?sku=FlexConsumption&api-version=2024-04-01");
    // "East US 2" is eastus2 everywhere else.
    var names = regions.Select(region => region.GetProperty("name").GetString()!.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant())
        .Distinct().Order(StringComparer.Ordinal).ToList();
    if (names.Count == 0) return GoOn("Azure names no region");
    if (names.Contains(wanted.ToLowerInvariant())) return 0;
    Console.Error.WriteLine($"AZURE_LOCATION: '{wanted}' has no Flex Consumption. Regions that have: {string.Join(", ", names)}. Choose one: azd env set AZURE_LOCATION NAME");
    return 1;
}

async Task<int> RolesAsync(HttpClient manager)
{
    var group = Environment.GetEnvironmentVariable("RESOURCE_GROUP");
    if (string.IsNullOrEmpty(group)) return GoOn("azd has no resource group yet");
    var scope = $"/subscriptions/{subscription}/resourceGroups/{group}";
    var roles = await ValuesAsync(manager, $"{scope}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01");
    // Roles on something in this group, not those that it inherits; the app's identity is a service principal.
    var given = roles.Select(role => role.GetProperty("properties"))
        .Where(role => role.GetProperty("principalType").GetString() == "ServicePrincipal" && role.GetProperty("scope").GetString()!.StartsWith($"{scope}/", StringComparison.OrdinalIgnoreCase))
        .Select(role => DateTimeOffset.Parse(role.GetProperty("createdOn").GetString()!, CultureInfo.InvariantCulture)).ToList();
    if (given.Count == 0) return GoOn("the app has no role");
    var left = age - (DateTimeOffset.UtcNow - given.Max());
    // A clock that is behind must not make it longer.
    if (left > age) left = age;
    if (left <= TimeSpan.Zero) return 0;
    Console.WriteLine($"The app's roles were given just now, and take minutes to be in effect: waiting {Math.Ceiling(left.TotalSeconds)} s. If deploying ends with a 403 all the same: azd deploy");
    await Task.Delay(left);
    return 0;
}

static async Task<IReadOnlyList<JsonElement>> ValuesAsync(HttpClient manager, string path)
{
    // Both lists come in one page; a second one would only hold more of the same.
    using var answer = await manager.GetAsync(path);
    answer.EnsureSuccessStatusCode();
    using var document = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
    return [.. document.RootElement.GetProperty("value").EnumerateArray().Select(value => value.Clone())];
}

string Token()
{
    var start = new ProcessStartInfo("azd") { ArgumentList = { "auth", "token", "--output", "json" }, RedirectStandardOutput = true };
    try
    {
        using var azd = Process.Start(start)!;
        var answer = azd.StandardOutput.ReadToEndAsync();
        if (!azd.WaitForExit(answerMax) || azd.ExitCode != 0) throw new InvalidOperationException("azd auth token gave no token.");
        using var document = JsonDocument.Parse(answer.Result);
        return document.RootElement.GetProperty("token").GetString()!;
    }
    catch (System.ComponentModel.Win32Exception)
    {
        throw new InvalidOperationException("azd was not found.");
    }
}

int GoOn(string why)
{
    Console.Error.WriteLine($"{args[0]} not checked: {why.ReplaceLineEndings(" ")}");
    return 0;
}

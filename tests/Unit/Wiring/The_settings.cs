using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Outpost.Forwarding;
using Outpost.ServiceBus;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Wiring;

public sealed class The_settings
{
    [Fact]
    public void Have_the_documented_defaults()
    {
        var (settings, table, bus) = Read();

        Assert.Equal(("UseDevelopmentStorage=true", null), (table.ConnectionString, table.ServiceUri));
        Assert.Equal((null, null), (bus.ConnectionString, bus.FullyQualifiedNamespace));
        Assert.Equal(("outpost", 1, "/outpost"), (table.TableName, table.Partitions, settings.Source));
        Assert.Equal((null, "http://localhost:7071", null), (settings.PublicUrl, settings.BaseUrl, settings.Schedule));
        Assert.Equal(("events", StartAt.Oldest), (bus.Topic, settings.StartAt));
        Assert.Equal(TimeSpan.FromSeconds(5), settings.Linger);
        Assert.Equal(TimeSpan.FromMilliseconds(100), settings.Poll);
        Assert.Equal(TimeSpan.FromSeconds(60), settings.Within);
        Assert.Equal(10, settings.RefusalsInARow);
        Assert.Equal(TimeSpan.FromDays(1), settings.FinalMaxAge);
    }

    [Fact]
    public void Are_read_from_their_documented_names()
    {
        var (settings, table, bus) = Read(
            ("Outpost__TableName", "Log2"), ("Outpost__PartitionCount", "8"), ("Outpost__Source", "https://shop.example/orders"),
            ("Outpost__PublicUrl", "https://app.example/base/"), ("FORWARDER_SCHEDULE", "*/10 * * * * *"), ("Forwarder__Topic", "shop/events"),
            ("Forwarder__StartAt", "head"), ("Forwarder__LingerSeconds", "0"), ("Forwarder__PollMilliseconds", "250"),
            ("Forwarder__WithinSeconds", "300"), ("Forwarder__RefusalsInARow", "25"), ("Feed__MaxAgeSeconds", "60"), ("Feed__WaitersMax", "1000"));

        Assert.Equal(("Log2", 8, "https://shop.example/orders"), (table.TableName, table.Partitions, settings.Source));
        Assert.Equal(("https://app.example/base", "*/10 * * * * *"), (settings.PublicUrl, settings.Schedule));
        Assert.Equal(("shop/events", StartAt.Head), (bus.Topic, settings.StartAt));
        Assert.Equal(TimeSpan.Zero, settings.Linger);
        Assert.Equal(TimeSpan.FromMilliseconds(250), settings.Poll);
        Assert.Equal(TimeSpan.FromMinutes(5), settings.Within);
        Assert.Equal(25, settings.RefusalsInARow);
        Assert.Equal((TimeSpan.FromMinutes(1), 1000), (settings.FinalMaxAge, settings.WaitersMax));
    }

    [Theory]
    [InlineData("Outpost__TableName", "ab", "3 to 63 letters")]
    [InlineData("Outpost__TableName", "1table", "3 to 63 letters")]
    [InlineData("Outpost__TableName", "my-table", "3 to 63 letters")]
    [InlineData("Outpost__TableName", "täble", "3 to 63 letters")]
    [InlineData("Outpost__PartitionCount", "0", "from 1 to 256")]
    [InlineData("Outpost__PartitionCount", "257", "from 1 to 256")]
    [InlineData("Outpost__PartitionCount", "-1", "from 1 to 256")]
    [InlineData("Outpost__PartitionCount", "1.5", "from 1 to 256")]
    [InlineData("Outpost__PartitionCount", "eight", "from 1 to 256")]
    [InlineData("Outpost__PartitionCount", " 8", "from 1 to 256")]
    [InlineData("Outpost__PartitionCount", "8\0", "from 1 to 256")]
    [InlineData("Outpost__PartitionCount", "99999999999", "from 1 to 256")]
    [InlineData("Outpost__Source", "a b", "URI reference")]
    [InlineData("Outpost__PublicUrl", "app.example", "absolute http or https URL")]
    [InlineData("Dashboard__TraceUrl", "https://traces.example/", "{traceId}")]
    [InlineData("Dashboard__TraceUrl", "javascript:alert('{traceId}')", "{traceId}")]
    [InlineData("Outpost__PublicUrl", "ftp://app.example", "absolute http or https URL")]
    [InlineData("Outpost__PublicUrl", "https://app.example/#a", "absolute http or https URL")]
    [InlineData("Forwarder__Topic", "my topic", "1 to 260 letters")]
    [InlineData("Forwarder__StartAt", "Head", "oldest or head")]
    [InlineData("Forwarder__StartAt", "0", "oldest or head")]
    [InlineData("Forwarder__LingerSeconds", "601", "from 0 to 600")]
    [InlineData("Forwarder__PollMilliseconds", "9", "from 10 to 60000")]
    [InlineData("Forwarder__WithinSeconds", "0", "from 1 to 604800")]
    [InlineData("Forwarder__RefusalsInARow", "10001", "from 0 to 10000")]
    [InlineData("Feed__MaxAgeSeconds", "31536001", "from 0 to 31536000")]
    [InlineData("Feed__WaitersMax", "10001", "from 0 to 10000")]
    public void Stop_the_start_when_one_is_bad_with_its_name_its_value_and_what_is_allowed(string name, string value, string allowed)
    {
        var refused = Assert.Throws<InvalidSettingException>(() => Read((name, value)));

        Assert.StartsWith($"{name}: '{value}' is not allowed; ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(allowed, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stop_the_start_without_a_table()
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Read(("TableStorage", null)));

        Assert.Contains("TableStorage: is missing", refused.Message, StringComparison.Ordinal);
        Assert.Contains("TableStorage__serviceUri", refused.Message, StringComparison.Ordinal);
    }

    // A token is never sent in the clear: with http no request could be made.
    [Fact]
    public void Take_an_https_address_of_the_table_only()
    {
        var refused = Assert.Throws<InvalidSettingException>(() => Read(("TableStorage", null), ("TableStorage__serviceUri", "http://acc.table.core.windows.net")));

        Assert.Contains("TableStorage__serviceUri: 'http://acc.table.core.windows.net' is not allowed", refused.Message, StringComparison.Ordinal);
        Assert.Equal(new Uri("https://acc"), Read(("TableStorage", null), ("TableStorage__serviceUri", "https://acc")).Table.ServiceUri);
    }

    [Fact]
    public void Take_a_connection_as_one_string_or_as_a_group()
    {
        var group = Read(
            ("TableStorage", null), ("TableStorage__serviceUri", "https://acc.table.core.windows.net"), ("TableStorage__clientId", "id"),
            ("ServiceBus__fullyQualifiedNamespace", "ns.servicebus.windows.net"));

        Assert.Equal((null, new Uri("https://acc.table.core.windows.net")), (group.Table.ConnectionString, group.Table.ServiceUri));
        Assert.IsType<Azure.Identity.ManagedIdentityCredential>(group.Table.Credential);
        Assert.Equal((null, "ns.servicebus.windows.net"), (group.Bus.ConnectionString, group.Bus.FullyQualifiedNamespace));
        Assert.IsType<Azure.Identity.DefaultAzureCredential>(group.Bus.Credential);
        Assert.Equal(Bus, Read(("ServiceBus", Bus)).Bus.ConnectionString);
    }

    [Fact]
    public void Never_show_a_connection_string() => Assert.DoesNotContain("secret", new ServiceConnection("AccountKey=secret", null, null).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Outpost__PublicUrl")]
    [InlineData("Outpost__TableName")]
    [InlineData("Outpost__PartitionCount")]
    [InlineData("Forwarder__Topic")]
    [InlineData("Forwarder__StartAt")]
    public void Never_show_a_key_that_somebody_put_into_the_wrong_one(string name)
    {
        string[] keys =
        [
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=secret;EndpointSuffix=core.windows.net",
            "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=secret",
            "sb://user:secret@x/ y",
            "ftp://x.example/?sig=secret",
            $"{new string('k', 80)}secret tail",
        ];

        foreach (var key in keys)
        {
            var refused = Assert.Throws<InvalidSettingException>(() => Read((name, key)));
            Assert.StartsWith($"{name}: ", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("AccountKey=secret")]
    [InlineData("secret")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=not base64 secret;EndpointSuffix=core.windows.net")]
    public void Stop_the_start_where_a_connection_string_is_none_without_showing_it(string text)
    {
        foreach (var name in new[] { "TableStorage", "ServiceBus" })
        {
            var refused = Record.Exception(() => Read((name, text)));
            if (refused is null) continue;
            Assert.IsType<InvalidSettingException>(refused);
            Assert.StartsWith($"{name}: this is no connection string", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", refused.ToString(), StringComparison.Ordinal);
        }

        Assert.Throws<InvalidSettingException>(() => Read(("TableStorage", text)));
    }

    [Fact]
    public void Give_way_to_what_code_sets()
    {
        var services = Services([("Forwarder__WithinSeconds", "30"), ("Outpost__TableName", "one"), ("Forwarder__Topic", "one")]);
        services.AddOutpost(options => options.Within = TimeSpan.FromMinutes(2)).AddServiceBus(options => options.Topic = "two");
        services.Configure<TableStorageOptions>(options => options.TableName = "two");
        using var app = services.BuildServiceProvider();

        Assert.Equal(
            (TimeSpan.FromMinutes(2), "two", "two"),
            (Of<OutpostOptions>(app).Within, Of<TableStorageOptions>(app).TableName, Of<ServiceBusOptions>(app).Topic));
    }

    public static TheoryData<string, Action<OutpostOptions>> SetByCode => new()
    {
        { "Source", options => options.Source = "a b" },
        { "PublicUrl", options => options.PublicUrl = "app.example" },
        { "TraceUrl", options => options.TraceUrl = "javascript:{traceId}" },
        { "Linger", options => options.Linger = TimeSpan.FromHours(1) },
        { "Poll", options => options.Poll = TimeSpan.Zero },
        { "Within", options => options.Within = TimeSpan.Zero },
        { "StartAt", options => options.StartAt = (StartAt)7 },
        { "RefusalsInARow", options => options.RefusalsInARow = -1 },
        { "KeepEvents", options => options.KeepEvents = TimeSpan.Zero },
        { "KeepReceipts", options => options.KeepReceipts = TimeSpan.Zero },
        { "FinalMaxAge", options => options.FinalMaxAge = TimeSpan.FromSeconds(-1) },
        { "WaitersMax", options => options.WaitersMax = -1 },
    };

    [Theory]
    [MemberData(nameof(SetByCode))]
    public void Are_held_to_the_same_where_code_sets_them(string name, Action<OutpostOptions> set)
    {
        var services = Services([]);
        services.AddOutpost(set);
        using var app = services.BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(() => Of<OutpostOptions>(app));

        Assert.Contains($"{name}: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("not allowed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Are_read_by_one_Outpost_only() =>
        Assert.Contains("twice", Assert.Throws<InvalidOperationException>(() =>
        {
            var services = Services([]);
            services.AddOutpost();
            services.AddOutpost();
        }).Message, StringComparison.Ordinal);

    [Fact]
    public void Refuse_the_schedule_s_old_name_with_the_new_one()
    {
        var refused = Assert.Throws<InvalidSettingException>(() => Read(("Forwarder__Schedule", "* * * * * *")));

        Assert.Contains("FORWARDER_SCHEDULE", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Have_a_public_URL_for_links_only_where_somebody_set_it()
    {
        Assert.Null(Read(("WEBSITE_HOSTNAME", "app.azurewebsites.net")).Outpost.PublicUrl);
        Assert.Null(Read(("Outpost__PublicUrl", "")).Outpost.PublicUrl);
        Assert.Equal("https://app.example/base", Read(("Outpost__PublicUrl", "https://app.example/base/")).Outpost.PublicUrl);
    }

    [Theory]
    [InlineData("app.azurewebsites.net", "https://app.azurewebsites.net")]
    [InlineData("localhost:7072", "http://localhost:7072")]
    [InlineData("127.0.0.1:7072", "http://127.0.0.1:7072")]
    public void Take_the_public_URL_from_the_host_s_name_unless_it_is_set(string host, string url) =>
        Assert.Equal(url, Read(("WEBSITE_HOSTNAME", host)).Outpost.BaseUrl);

    private const string Bus = "Endpoint=sb://x.example;SharedAccessKeyName=n;SharedAccessKey=a2V5";

    private static (OutpostOptions Outpost, TableStorageOptions Table, ServiceBusOptions Bus) Read(params (string Name, string? Value)[] values)
    {
        var services = Services(values);
        services.AddOutpost().AddServiceBus();
        using var app = services.BuildServiceProvider();
        return (Of<OutpostOptions>(app), Of<TableStorageOptions>(app), Of<ServiceBusOptions>(app));
    }

    private static T Of<T>(IServiceProvider app)
        where T : class => app.GetRequiredService<IOptions<T>>().Value;

    private static ServiceCollection Services((string Name, string? Value)[] values)
    {
        var all = new Dictionary<string, string?> { ["TableStorage"] = "UseDevelopmentStorage=true" };
        // As the environment's provider does it.
        foreach (var (name, value) in values) all[name.Replace("__", ":", StringComparison.Ordinal)] = value;
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(all).Build());
        services.AddLogging();
        return services;
    }
}

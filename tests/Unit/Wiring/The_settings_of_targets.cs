using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Outpost.Forwarding;
using Outpost.Kafka;
using Outpost.RabbitMQ;

namespace Outpost.Tests.Unit.Wiring;

public sealed class The_settings_of_targets
{
    private const string Uri = "amqps://user:secret@broker.example/shop";

    [Fact]
    public void Add_no_forwarder_where_there_are_none()
    {
        Assert.Empty(Forwarders());
        Assert.Empty(Forwarders(("Targets__RabbitMQ__Uri", "")));
    }

    [Fact]
    public void Add_a_forwarder_to_RabbitMQ()
    {
        var forwarder = Assert.Single(Forwarders(
            ("Targets__RabbitMQ__Uri", Uri), ("Forwarder__StartAt", "head"), ("Forwarder__WithinSeconds", "30"), ("Forwarder__RefusalsInARow", "3")));

        Assert.Equal(("rabbitmq", StartAt.Head, TimeSpan.FromSeconds(30), 3), (forwarder.Name, forwarder.StartAt, forwarder.Within, forwarder.RefusalsInARow));
        Assert.IsType<RabbitMQTarget>(forwarder.Target);
    }

    [Fact]
    public void Of_RabbitMQ_have_the_documented_defaults_and_names()
    {
        var plain = RabbitMQ(("Targets__RabbitMQ__Uri", Uri))!;
        var told = RabbitMQ(
            ("Targets__RabbitMQ__Uri", Uri), ("Targets__RabbitMQ__Exchange", "shop.events"), ("Targets__RabbitMQ__RoutingKey", "subject"),
            ("Outpost__Source", "/shop"), ("Outpost__PublicUrl", "https://app.example"), ("Retention__Days", "30"))!;
        var stream = RabbitMQ(("Targets__RabbitMQ__Uri", Uri), ("Targets__RabbitMQ__Stream", "events"))!;

        Assert.Equal((new Uri(Uri), "events", null, RoutingKey.Type), (plain.Uri, plain.Exchange, plain.Stream, plain.RoutingKey));
        Assert.Equal(("shop.events", RoutingKey.Subject, "/shop", "https://app.example"), (told.Exchange, told.RoutingKey, told.Source, told.PublicUrl));
        Assert.Equal(TimeSpan.FromDays(30), told.PayloadsKeptFor);
        Assert.Equal("events", stream.Stream);
    }

    [Theory]
    [InlineData("Targets__RabbitMQ__Exchange", "my events", "1 to 127 letters")]
    [InlineData("Targets__RabbitMQ__Stream", "my events", "1 to 127 letters")]
    [InlineData("Targets__RabbitMQ__RoutingKey", "Type", "type, subject or partition")]
    public void Stop_the_start_when_one_is_bad_with_its_name_its_value_and_what_is_allowed(string name, string value, string allowed)
    {
        var refused = Assert.Throws<InvalidSettingException>(() => RabbitMQ(("Targets__RabbitMQ__Uri", Uri), (name, value)));

        Assert.StartsWith($"{name}: '{value}' is not allowed; ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(allowed, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://user:secret@broker.example")]
    [InlineData("user:secret")]
    [InlineData("amqp:secret")]
    [InlineData("amqp://broker.example/secret/more")]
    public void Never_show_an_address_that_is_none(string uri)
    {
        var refused = Assert.Throws<InvalidSettingException>(() => RabbitMQ(("Targets__RabbitMQ__Uri", uri)));

        Assert.StartsWith("Targets__RabbitMQ__Uri: this is no address", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Targets__RabbitMQ__Exchange", "events", "Targets__RabbitMQ__Uri: is missing")]
    [InlineData("Targets__RabbitMQ__Queue", "events", "Targets__RabbitMQ__Queue: is not allowed; Targets__RabbitMQ has Uri, ")]
    [InlineData("Targets__Rabbit__Uri", Uri, "Targets__Rabbit: is not allowed; Targets has RabbitMQ, Kafka")]
    [InlineData("Targets__RabbitMQ", Uri, "Targets__RabbitMQ: is not allowed; it is a group and has Uri, ")]
    public void Stop_the_start_where_one_would_do_nothing(string name, string value, string message)
    {
        var refused = Assert.Throws<InvalidSettingException>(() => Forwarders((name, value)));

        Assert.StartsWith(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Let_a_stream_take_the_place_of_an_exchange_only()
    {
        var refused = Assert.Throws<InvalidSettingException>(() => RabbitMQ(
            ("Targets__RabbitMQ__Uri", Uri), ("Targets__RabbitMQ__Exchange", "a"), ("Targets__RabbitMQ__Stream", "b")));

        Assert.StartsWith("Targets__RabbitMQ__Stream: is not allowed beside Targets__RabbitMQ__Exchange", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Add_a_forwarder_to_Kafka_beside_one_to_RabbitMQ()
    {
        var forwarders = Forwarders(("Targets__RabbitMQ__Uri", Uri), ("Targets__Kafka__BootstrapServers", "broker.example:9092"));

        Assert.Equal(["rabbitmq", "kafka"], forwarders.Select(forwarder => forwarder.Name));
        Assert.IsType<KafkaTarget>(forwarders[1].Target);
    }

    [Fact]
    public void Of_Kafka_have_the_documented_defaults_and_names()
    {
        var plain = Kafka(("Targets__Kafka__BootstrapServers", "a.example:9092,b.example:9092"))!;
        var told = Kafka(
            ("Targets__Kafka__BootstrapServers", "a.example:9093"), ("Targets__Kafka__Topic", "shop"), ("Targets__Kafka__UserName", "u"), ("Targets__Kafka__Password", "secret"),
            ("Targets__Kafka__SaslMechanism", "scram-sha-512"), ("Outpost__Source", "/shop"), ("Outpost__PublicUrl", "https://app.example"))!;
        var hubs = Kafka(("Targets__Kafka__fullyQualifiedNamespace", "ns.servicebus.windows.net"), ("Targets__Kafka__clientId", "id"))!;

        Assert.Equal(("a.example:9092,b.example:9092", "events", SecurityProtocol.Plaintext, null), (plain.BootstrapServers, plain.Topic, plain.SecurityProtocol, plain.UserName));
        Assert.Equal(("shop", SecurityProtocol.SaslSsl, SaslMechanism.ScramSha512, "u", "secret"), (told.Topic, told.SecurityProtocol, told.SaslMechanism, told.UserName, told.Password));
        Assert.Equal(("/shop", "https://app.example"), (told.Source, told.PublicUrl));
        Assert.Equal("ns.servicebus.windows.net", hubs.FullyQualifiedNamespace);
        Assert.NotNull(hubs.Credential);
    }

    [Theory]
    [InlineData("Targets__Kafka__BootstrapServers", "broker", "HOST:PORT")]
    [InlineData("Targets__Kafka__BootstrapServers", "broker:0", "HOST:PORT")]
    [InlineData("Targets__Kafka__BootstrapServers", "kafka://broker:9092", "HOST:PORT")]
    [InlineData("Targets__Kafka__Topic", "my topic", "1 to 249 letters")]
    [InlineData("Targets__Kafka__SecurityProtocol", "SSL", "plaintext or ssl")]
    [InlineData("Targets__Kafka__SecurityProtocol", "sasl_ssl", "plaintext or ssl")]
    [InlineData("Targets__Kafka__SaslMechanism", "gssapi", "plain, scram-sha-256 or scram-sha-512")]
    [InlineData("Targets__Kafka__CertificateAuthorities", "/no/such/file", "the path of a file")]
    public void Of_Kafka_stop_the_start_when_one_is_bad(string name, string value, string allowed)
    {
        var refused = Assert.Throws<InvalidSettingException>(() => Kafka(("Targets__Kafka__BootstrapServers", "broker.example:9092"), (name, value)));

        Assert.StartsWith($"{name}: '{value}' is not allowed; ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(allowed, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Targets__Kafka__BootstrapServers: one of it and", "Topic", "events")]
    [InlineData("Targets__Kafka__BootstrapServers: one of it and", "BootstrapServers", "a.example:1", "fullyQualifiedNamespace", "ns.servicebus.windows.net")]
    [InlineData("Targets__Kafka__Password: is not allowed beside", "fullyQualifiedNamespace", "ns.servicebus.windows.net", "UserName", "", "Password", "secret")]
    [InlineData("Targets__Kafka__Password: is needed", "BootstrapServers", "a.example:1", "UserName", "u")]
    [InlineData("Targets__Kafka__fullyQualifiedNamespace: 'https://ns' is not allowed", "fullyQualifiedNamespace", "https://ns")]
    public void Of_Kafka_stop_the_start_where_they_do_not_go_together(string message, params string[] settings)
    {
        var refused = Assert.Throws<InvalidSettingException>(() => Kafka([.. settings.Chunk(2).Select(pair => ($"Targets__Kafka__{pair[0]}", pair[1]))]));

        Assert.StartsWith(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    private static KafkaOptions Kafka(params (string Name, string Value)[] values) => Of<KafkaOptions>(values);

    private static RabbitMQOptions RabbitMQ(params (string Name, string Value)[] values) => Of<RabbitMQOptions>(values);

    private static T Of<T>((string Name, string Value)[] values)
        where T : class => App(values).GetRequiredService<IOptions<T>>().Value;

    private static IReadOnlyList<Forwarder> Forwarders(params (string Name, string Value)[] values)
    {
        var app = App(values);
        StartupCheck.Check(new SettingReader(app.GetRequiredService<IConfiguration>()), app.GetServices<TargetOfSetting>());
        return app.GetRequiredService<IReadOnlyList<Forwarder>>();
    }

    private static ServiceProvider App((string Name, string Value)[] values)
    {
        var all = new Dictionary<string, string?> { ["TableStorage"] = "UseDevelopmentStorage=true" };
        foreach (var (name, value) in values) all[name.Replace("__", ":", StringComparison.Ordinal)] = value;
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(all).Build());
        services.AddLogging().AddOutpost().AddRabbitMQ().AddKafka();
        return services.BuildServiceProvider();
    }
}

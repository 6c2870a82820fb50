using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Outpost.Forwarding;
using Outpost.RabbitMQ;

namespace Outpost.Functions;

/// <summary>Targets beside Service Bus, each where its settings are: a forwarder of its own.</summary>
internal static class Targets
{
    /// <summary>The forwarder that brings entries to RabbitMQ.</summary>
    public const string RabbitMQForwarder = "rabbitmq";

    private static readonly string[] RabbitMQNames = ["Uri", "Exchange", "Stream", "RoutingKey"];

    /// <exception cref="InvalidSettingException">A setting is missing or has a value that is not allowed.</exception>
    public static void AddTargets(this IServiceCollection services, IConfiguration configuration, Settings settings)
    {
        var read = new Settings.SettingReader(configuration);
        read.AllowOnly("Targets", "RabbitMQ");
        if (RabbitMQ(read, settings) is { } rabbit)
        {
            services.AddSingleton(rabbit);
            services.AddSingleton<RabbitMQTarget>();
            services.AddSingleton(provider => Forwarder(RabbitMQForwarder, provider.GetRequiredService<RabbitMQTarget>(), settings));
        }
    }

    /// <summary>Null: there are none.</summary>
    internal static RabbitMQOptions? RabbitMQ(Settings.SettingReader read, Settings settings)
    {
        const string Name = "Targets__RabbitMQ";
        if (!read.AllowOnly(Name, RabbitMQNames)) return null;
        var stream = read.OptionalText($"{Name}__Stream");
        if (stream is not null && read.OptionalText($"{Name}__Exchange") is not null)
            throw new InvalidSettingException($"{Name}__Stream: is not allowed beside {Name}__Exchange; set one of them.");
        var options = new RabbitMQOptions
        {
            Uri = Address($"{Name}__Uri", read),
            Exchange = read.Text($"{Name}__Exchange", "events", "1 to 127 letters, digits and . - _ : /", IsName),
            Stream = stream is null ? null : read.Text($"{Name}__Stream", stream, "1 to 127 letters, digits and . - _ : /", IsName),
            RoutingKey = read.Text($"{Name}__RoutingKey", "type", "type, subject or partition", value => value is "type" or "subject" or "partition") switch
            {
                "subject" => RoutingKey.Subject,
                "partition" => RoutingKey.Partition,
                _ => RoutingKey.Type,
            },
            Source = settings.Source,
            PublicUrl = settings.PublicUrl,
            PayloadsKeptFor = settings.Retention.EventsAtLeast,
        };
        return options;
    }

    // It holds a password, and so may what the client says about it: neither is shown.
    private static Uri Address(string name, Settings.SettingReader read)
    {
        var text = read.OptionalText(name) ?? throw new InvalidSettingException($"{name}: is missing; amqps://USER:PASSWORD@HOST/VHOST is needed.");
        try
        {
            var uri = new Uri(text);
            if (uri.Host.Length == 0) throw new UriFormatException();
            new RabbitMQOptions { Uri = uri }.CreateFactory();
            return uri;
        }
        catch (Exception e) when (e is UriFormatException or ArgumentException)
        {
            throw new InvalidSettingException($"{name}: this is no address (it is not shown, it may hold a password); amqps://USER:PASSWORD@HOST/VHOST is allowed, or amqp://… without TLS.");
        }
    }

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 127 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '/');

    private static Forwarder Forwarder(string name, IForwardTarget target, Settings settings) => new(name, target)
    {
        StartAt = settings.StartAt,
        Within = settings.Within,
        RefusalsInARow = settings.RefusalsInARow,
    };
}

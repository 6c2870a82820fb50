using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Outpost.Client;

/// <summary>Registers message consumers that run for as long as an app runs.</summary>
public static class MessageConsumerServices
{
    /// <summary>
    /// Handles events from a source while the app runs. <typeparamref name="THandler"/> handles each event at least
    /// once, and exactly once where it stores the message's key with its effect. It comes from a service scope of its
    /// own for each try. Failures are retried, logged and measured (meter <c>Outpost.Client</c>). The
    /// <see cref="MessageConsumer"/> is a service with the consumer's name as its key; use it to retry dead letters.
    /// </summary>
    /// <typeparam name="THandler">The handler; registered as scoped, unless it is registered already.</typeparam>
    /// <param name="services">The app's services.</param>
    /// <param name="name">Names the consumer, its options, and its logs and metrics.</param>
    /// <param name="source">
    /// Makes the source, once, such as the <c>ServiceBusSource</c>, <c>RabbitMQSource</c> or <c>KafkaSource</c> of
    /// their packages.
    /// </param>
    /// <param name="configure">Says how messages are handled. The options are checked when the app starts.</param>
    /// <exception cref="ArgumentException">There is a consumer of this name already.</exception>
    public static IServiceCollection AddOutpostConsumer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string name, Func<IServiceProvider, IMessageSource> source, Action<MessageConsumerOptions>? configure = null)
        where THandler : class, IMessageHandler
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (services.Any(service => service.ServiceType == typeof(MessageConsumer) && Equals(service.ServiceKey, name)))
            throw new ArgumentException($"There is a consumer '{name}' already.", nameof(name));
        services.AddOptions<MessageConsumerOptions>(name).Configure(configure ?? (_ => { })).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MessageConsumerOptions>>(new Check(name));
#pragma warning disable RS0030 // Here the host's own are passed in; an app or a test may register another clock before.
        services.TryAddSingleton(TimeProvider.System);
        var random = Random.Shared;
#pragma warning restore RS0030
        services.TryAddSingleton<MessageMetrics>();
        services.TryAddScoped<THandler>();
        services.AddKeyedSingleton(name, (provider, _) => Make<THandler>(provider, name, source(provider), random));
        services.AddSingleton<IHostedService>(provider => new HostedConsumer(provider.GetRequiredKeyedService<MessageConsumer>(name)));
        return services;
    }

    private static MessageConsumer Make<THandler>(IServiceProvider provider, string name, IMessageSource source, Random random)
        where THandler : class, IMessageHandler
    {
        var options = provider.GetRequiredService<IOptionsMonitor<MessageConsumerOptions>>().Get(name);
        var scopes = provider.GetRequiredService<IServiceScopeFactory>();
        var log = new ConsumerLog(name, provider.GetRequiredService<MessageMetrics>(), provider.GetRequiredService<ILogger<MessageConsumer>>());
        var onError = options.OnError;
        options.OnError = e =>
        {
            log.Failed(e);
            onError?.Invoke(e);
        };
        return new MessageConsumer(source, HandleAsync, options, provider.GetRequiredService<TimeProvider>(), random) { OnSettled = log.Settled };

        async Task HandleAsync(EventMessage message, CancellationToken end)
        {
            await using var scope = scopes.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<THandler>().HandleAsync(message, end);
        }
    }

    private sealed class Check(string consumer) : IValidateOptions<MessageConsumerOptions>
    {
        public ValidateOptionsResult Validate(string? name, MessageConsumerOptions options) =>
            name != consumer ? ValidateOptionsResult.Skip
            : options.Problem() is { } problem ? ValidateOptionsResult.Fail($"Consumer '{consumer}': {problem}")
            : ValidateOptionsResult.Success;
    }

    private sealed class HostedConsumer(MessageConsumer consumer) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => consumer.RunAsync(stoppingToken);
    }
}

using System.Reflection;
using Azure.Core;
using Azure.Messaging.ServiceBus;

namespace Outpost.Tests.Unit.StandIns;

/// <summary>How clients are made and set up, before anything is sent.</summary>
public sealed class ServiceBusClientRules
{
    private const string Emulator =
        "Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;";

    private static bool IsStandIn => typeof(ServiceBusClient).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Any(each => each is { Key: "StandIn", Value: "true" });

    [Fact]
    public async Task A_client_of_the_emulator_needs_only_its_connection_string()
    {
        var client = new ServiceBusClient(Emulator);
        var sender = client.CreateSender("events");

        Assert.Equal("127.0.0.1", client.FullyQualifiedNamespace);
        Assert.StartsWith("127.0.0.1", client.Identifier, StringComparison.Ordinal);
        Assert.Equal("events", sender.EntityPath);
        await client.DisposeAsync();
        Assert.True(client.IsClosed);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => sender.SendMessageAsync(new ServiceBusMessage("x")));
    }

    [Theory]
    [InlineData("Endpoint=sb://127.0.0.1;UseDevelopmentEmulator=true;")]
    [InlineData("SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;")]
    public void A_connection_string_without_endpoint_or_key_is_refused(string connectionString) =>
        Assert.ThrowsAny<ArgumentException>(() => new ServiceBusClient(connectionString));

    [Fact]
    public void The_stand_in_says_which_package_anything_else_needs()
    {
        if (!IsStandIn) return; // the real package takes both
        Action[] azure =
        [
            () => _ = new ServiceBusClient("Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k"),
            () => _ = new ServiceBusClient("ns.servicebus.windows.net", new NoCredential()),
        ];

        Assert.All(azure, construct =>
        {
            var exception = Assert.Throws<NotSupportedException>(construct);
            Assert.Contains("Azure.Messaging.ServiceBus 7.20.2", exception.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Retry_options_have_the_services_defaults_and_bounds()
    {
        var options = new ServiceBusRetryOptions();

        Assert.Equal(
            (ServiceBusRetryMode.Exponential, 3, TimeSpan.FromSeconds(0.8), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)),
            (options.Mode, options.MaxRetries, options.Delay, options.MaxDelay, options.TryTimeout));
        Assert.Throws<ArgumentOutOfRangeException>(() => options.MaxRetries = 101);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Delay = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.TryTimeout = TimeSpan.FromHours(2));
    }

    [Theory]
    [InlineData(ServiceBusFailureReason.ServiceBusy, true)]
    [InlineData(ServiceBusFailureReason.ServiceTimeout, true)]
    [InlineData(ServiceBusFailureReason.ServiceCommunicationProblem, true)]
    [InlineData(ServiceBusFailureReason.MessageSizeExceeded, false)]
    [InlineData(ServiceBusFailureReason.QuotaExceeded, false)]
    public void A_reason_says_whether_it_may_pass(ServiceBusFailureReason reason, bool transient)
    {
        var exception = new ServiceBusException("text", reason, "events");

        Assert.Equal(transient, exception.IsTransient);
        Assert.Equal($"text (events - {reason})", exception.Message[..$"text (events - {reason})".Length]);
    }

    private sealed class NoCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}

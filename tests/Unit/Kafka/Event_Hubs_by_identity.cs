using Azure.Core;
using Confluent.Kafka;
using Outpost.Kafka;

namespace Outpost.Tests.Unit.Kafkas;

/// <summary>What can be held without Azure: how the client is set up, and what it is given when it asks for a token.</summary>
public sealed class Event_Hubs_by_identity
{
    private static readonly DateTimeOffset Expires = DateTimeOffset.UnixEpoch.AddDays(20_000);

    [Fact]
    public void Are_reached_over_TLS_with_tokens()
    {
        var config = new KafkaOptions { FullyQualifiedNamespace = "ns.servicebus.windows.net", Credential = new Identity() }.CreateConfig();

        Assert.Equal("ns.servicebus.windows.net:9093", config.BootstrapServers);
        Assert.Equal((SecurityProtocol.SaslSsl, SaslMechanism.OAuthBearer), (config.SecurityProtocol, config.SaslMechanism));
        // Azure drops what is idle for four minutes.
        Assert.InRange(config.ConnectionsMaxIdleMs!.Value, 1, 239_999);
    }

    [Fact]
    public async Task Are_given_a_token_for_the_namespace_and_when_it_ends()
    {
        var identity = new Identity();
        var given = new List<(string Token, DateTimeOffset Expires)>();

        await new Tokens(identity, "ns.servicebus.windows.net").RefreshAsync((token, expires) => given.Add((token, expires)), Assert.Fail);

        Assert.Equal([("token", Expires)], given);
        Assert.Equal(["https://ns.servicebus.windows.net/.default"], identity.Scopes);
    }

    [Fact]
    public async Task Are_told_why_there_is_no_token()
    {
        var reasons = new List<string>();

        await new Tokens(new Identity(new InvalidOperationException("No identity here.")), "ns").RefreshAsync((_, _) => Assert.Fail(), reasons.Add);

        Assert.Equal(["No identity here."], reasons);
    }

    [Fact]
    public void Are_produced_to_as_Kafka_is_in_order_and_answered_by_all_replicas()
    {
        foreach (var options in new[] { new KafkaOptions { FullyQualifiedNamespace = "ns" }, new KafkaOptions { BootstrapServers = "b:1" } })
        {
            var config = options.CreateConfig();
            Assert.Equal((true, Acks.All), (config.EnableIdempotence, config.Acks));
            // A delivery has six seconds: by then each message is answered for.
            Assert.InRange(config.MessageTimeoutMs!.Value, 1, 5000);
            // A connection that answers nothing is given up with time left to try another.
            Assert.InRange(config.SocketTimeoutMs!.Value, 1, config.MessageTimeoutMs.Value / 2);
        }
    }

    [Fact]
    public void Or_a_cluster_with_a_user_have_name_and_password_from_the_settings()
    {
        var config = new KafkaOptions
        {
            BootstrapServers = "b:1",
            UserName = "u",
            Password = "p",
            SecurityProtocol = SecurityProtocol.SaslSsl,
            SaslMechanism = SaslMechanism.ScramSha512,
        }.CreateConfig();

        Assert.Equal((SecurityProtocol.SaslSsl, SaslMechanism.ScramSha512, "u", "p"), (config.SecurityProtocol, config.SaslMechanism, config.SaslUsername, config.SaslPassword));
    }

    private sealed class Identity(Exception? fault = null) : TokenCredential
    {
        public List<string> Scopes { get; } = [];

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Scopes.AddRange(requestContext.Scopes);
            return fault is null ? ValueTask.FromResult(new AccessToken("token", Expires)) : throw fault;
        }
    }
}

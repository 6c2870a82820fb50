using Confluent.Kafka;
using Outpost.Forwarding;
using Outpost.Kafka;

namespace Outpost.Tests.Unit.Kafkas;

public sealed class Answers_of_Kafka
{
    [Theory]
    [InlineData(ErrorCode.NotLeaderForPartition)]
    [InlineData(ErrorCode.NotEnoughReplicas)]
    [InlineData(ErrorCode.NotEnoughReplicasAfterAppend)]
    [InlineData(ErrorCode.RequestTimedOut)]
    [InlineData(ErrorCode.Local_Transport)]
    [InlineData(ErrorCode.Local_MsgTimedOut)]
    [InlineData(ErrorCode.KafkaStorageError)]
    [InlineData(ErrorCode.Local_Resolve)]
    public void That_pass_by_themselves_are_transient(ErrorCode code)
    {
        var failed = Assert.IsType<Delivery.Failed>(Answers.Of(new Error(code)));

        Assert.Equal((true, false, code.ToString()), (failed.IsTransient, failed.IsBusy, failed.Kind));
    }

    [Theory]
    [InlineData(ErrorCode.ThrottlingQuotaExceeded)]
    [InlineData(ErrorCode.Local_QueueFull)]
    public void That_ask_for_less_are_busy(ErrorCode code) => Assert.True(Assert.IsType<Delivery.Failed>(Answers.Of(new Error(code))) is { IsBusy: true, IsTransient: true });

    [Theory]
    [InlineData(ErrorCode.UnknownTopicOrPart)]
    [InlineData(ErrorCode.TopicAuthorizationFailed)]
    [InlineData(ErrorCode.SaslAuthenticationFailed)]
    [InlineData(ErrorCode.Local_Authentication)]
    public void That_only_somebody_can_mend_are_not_transient(ErrorCode code) => Assert.False(Assert.IsType<Delivery.Failed>(Answers.Of(new Error(code))).IsTransient);

    [Theory]
    [InlineData(ErrorCode.InvalidRecord)]
    [InlineData(ErrorCode.PolicyViolation)]
    [InlineData(ErrorCode.InvalidTimestamp)]
    public void That_are_about_the_message_refuse_it(ErrorCode code) => Assert.Equal(1, Assert.IsType<Delivery.Refused>(Answers.Of(new Error(code))).Attempted);

    [Fact]
    public void That_end_the_producer_are_transient_since_there_will_be_another()
    {
        var error = new Error(ErrorCode.OutOfOrderSequenceNumber, "It is out of order.", isFatal: true);

        Assert.True(Assert.IsType<Delivery.Failed>(Answers.Of(error)).IsTransient);
        Assert.True(Answers.IsFatal(error));
    }

    // That a message timed out says nothing; what became of the connections meanwhile does.
    [Fact]
    public void That_a_message_timed_out_name_the_cause_where_the_client_knows_it()
    {
        var refused = Answers.Of(new Error(ErrorCode.Local_MsgTimedOut), new Error(ErrorCode.Local_Authentication, "Wrong password"));

        Assert.Equal(("Local_Authentication", "Wrong password", false), Assert.IsType<Delivery.Failed>(refused) is var failed ? (failed.Kind, failed.Reason, failed.IsTransient) : default);
    }
}

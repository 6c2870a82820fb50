using Confluent.Kafka;
using Outpost.Forwarding;

namespace Outpost.Kafka;

/// <summary>A Kafka client and what it last reported about itself. Thread-safe.</summary>
internal sealed class Producer : IDisposable
{
    private readonly IProducer<string, ReadOnlyMemory<byte>> _inner;
    private volatile Error? _lately;
    private volatile bool _isFatal;

    public Producer(KafkaOptions options)
    {
        var builder = new ProducerBuilder<string, ReadOnlyMemory<byte>>(options.CreateConfig())
            .SetValueSerializer(new MessageMapping.Bytes())
            .SetErrorHandler((_, error) => Heard(error))
            // Without a handler, the library writes to standard error. What matters is in the answers.
            .SetLogHandler((_, _) => { });
        if (options is { FullyQualifiedNamespace: { } ns, Credential: { } credential })
        {
            var tokens = new Tokens(credential, ns);
            builder.SetOAuthBearerTokenRefreshHandler((client, _) => tokens.Refresh(client));
        }

        _inner = builder.Build();
    }

    /// <summary>Whether the producer can send nothing more.</summary>
    public bool IsFatal => _isFatal;

    /// <summary>The last error of the producer's connections; null: none since a message was taken.</summary>
    public Error? Lately => _lately;

    /// <summary>Hands a message over. The task completes with the answer.</summary>
    public Task<Delivery> Send(string topic, Message<string, ReadOnlyMemory<byte>> message)
    {
        // The waiting code must not run on the callback's thread, because that thread polls the client.
        var answer = new TaskCompletionSource<Delivery>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            _inner.Produce(topic, message, report =>
            {
                if (Answers.IsFatal(report.Error)) _isFatal = true;
                if (!report.Error.IsError) _lately = null;
                answer.TrySetResult(Answers.Of(report.Error, _lately));
            });
        }
        catch (KafkaException e)
        {
            if (Answers.IsFatal(e.Error)) _isFatal = true;
            answer.TrySetResult(Answers.Of(e.Error));
        }

        return answer.Task;
    }

    public void Dispose() => _inner.Dispose();

    private void Heard(Error error)
    {
        if (Answers.IsFatal(error)) _isFatal = true;
        // "All brokers are down" says less than an earlier error of one broker.
        if (error.Code != ErrorCode.Local_AllBrokersDown || _lately is null) _lately = error;
    }
}

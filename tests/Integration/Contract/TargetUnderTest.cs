using Outpost.Forwarding;

namespace Outpost.Tests.Integration.Contract;

/// <summary>What the suite needs of a target: where it delivers to, what has arrived there, and the weather between.</summary>
public abstract class TargetUnderTest : IAsyncDisposable
{
    public abstract IForwardTarget Target { get; }

    /// <summary>A payload of this size is more than it takes.</summary>
    public virtual int TooLarge => 0;

    /// <summary>All that has arrived, in order, as soon as there is so much of it.</summary>
    public abstract Task<IReadOnlyList<Arrived>> ArrivedAsync(int count);

    /// <summary>From now on this entry, whose type is <c>Refused</c>, is never taken.</summary>
    public abstract Task RefuseAsync(EventEntry entry);

    /// <summary>From now on, until it is fine again.</summary>
    public abstract Task BeginAsync(Weather weather);

    public abstract Task FineAsync();

    public abstract ValueTask DisposeAsync();
}

/// <summary>What goes wrong.</summary>
public enum Weather
{
    /// <summary>The other side says that it takes no more for a moment.</summary>
    Throttled,

    /// <summary>The connections that there are pass nothing on and do not break; new ones work.</summary>
    Silent,

    /// <summary>Nobody is there.</summary>
    Away,
}

/// <summary>What has arrived at the other side.</summary>
/// <param name="Id">The event id.</param>
/// <param name="Sequence">The entry's offset.</param>
/// <param name="Subject">The subject.</param>
/// <param name="Body">The payload, or nothing.</param>
/// <param name="Reference">URL of the payload, in its place.</param>
/// <param name="Replay">The mark of a replay.</param>
/// <param name="Attributes">Other attributes, by their CloudEvents names.</param>
public sealed record Arrived(
    string Id, long Sequence, string Subject, byte[] Body, string? Reference = null, string? Replay = null, IReadOnlyDictionary<string, string>? Attributes = null)
{
    /// <summary>From CloudEvents attributes, without the prefix of a binding.</summary>
    public static Arrived From(IReadOnlyDictionary<string, string> attributes, byte[] body, string? replay) => new(
        attributes["id"], long.Parse(attributes["sequence"]), attributes["subject"], body, attributes.GetValueOrDefault("dataref"), replay, attributes);
}

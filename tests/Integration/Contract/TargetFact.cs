using Outpost.Tests.Testing;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Outpost.Tests.Integration.Contract;

/// <summary>What not every target has.</summary>
[Flags]
public enum Ability
{
    None = 0,

    /// <summary>There is a size that it does not take, and a reference goes in place of the payload.</summary>
    References = 1,

    /// <summary>What it passes on has headers or attributes beside the payload, the mark of a replay among them.</summary>
    Attributes = 2,
}

/// <summary>A test of the suite; a class whose target lacks what it is about has no such test.</summary>
[XunitTestCaseDiscoverer("Outpost.Tests.Integration.Contract.TargetFactDiscoverer", "Outpost.Tests.Integration")]
public sealed class TargetFactAttribute(Ability about = Ability.None) : FactAttribute
{
    public Ability About => about;
}

/// <summary>Abilities that a target does not have.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class LacksAttribute(Ability abilities) : Attribute
{
    public Ability Abilities => abilities;
}

/// <summary>The tests of this class are skipped, and said to be, where RabbitMQ is not installed.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsRabbitMQAttribute : Attribute;

public sealed class TargetFactDiscoverer(IMessageSink messages) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute)
    {
        var about = factAttribute.GetConstructorArguments().OfType<Ability>().SingleOrDefault();
        var lacks = testMethod.TestClass.Class.GetCustomAttributes(typeof(LacksAttribute)).SelectMany(each => each.GetConstructorArguments()).OfType<Ability>().SingleOrDefault();
        if ((about & lacks) != Ability.None) yield break;
        yield return new TargetTestCase(messages, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod);
    }
}

public sealed class TargetTestCase : XunitTestCase
{
    [Obsolete("For xunit.")]
    public TargetTestCase()
    {
    }

    public TargetTestCase(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(messages, display, options, method)
    {
    }

    protected override string? GetSkipReason(IAttributeInfo factAttribute) =>
        TestMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsRabbitMQAttribute)).Any() ? RabbitMQServer.Missing : null;
}

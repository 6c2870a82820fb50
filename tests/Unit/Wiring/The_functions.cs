using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Outpost.AzureFunctions;
using Outpost.Functions;

namespace Outpost.Tests.Unit.Wiring;

public sealed class The_functions
{
    private static readonly IReadOnlyList<MethodInfo> Methods =
    [
        .. typeof(OrderFunctions).Assembly.GetTypes().Concat(typeof(ForwardFunction).Assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static))
            .Where(method => method.IsDefined(typeof(FunctionAttribute))),
    ];

    [Fact]
    public void Are_all_found() => Assert.True(Methods.Count >= 11, $"only {Methods.Count}");

    // At a run the host tells of the one before: when that was, and when this one was due. Of a timer that comes more often
    // than each minute it tells nothing, and of the first run no time before.
    [Fact]
    public void Know_how_often_the_timer_comes_by_what_the_host_tells()
    {
        var due = new DateTime(2026, 11, 26, 12, 0, 0, DateTimeKind.Local);

        Assert.Equal(TimeSpan.FromMinutes(5), ForwardFunction.Period(new ScheduleStatus { Last = due.AddMinutes(-5), Next = due }));
        Assert.Null(ForwardFunction.Period(new ScheduleStatus { Last = default, Next = due }));
        Assert.Null(ForwardFunction.Period(null));
    }

    // The attribute's default differs between versions and hosts: no function may rely on it.
    [Fact]
    public void Name_their_authorization_level_themselves() =>
        Assert.All(
            HttpTriggers(),
            trigger => Assert.True(
                trigger.Data.ConstructorArguments.Any(argument => argument.ArgumentType == typeof(AuthorizationLevel)), trigger.Method.Name));

    [Fact]
    public void Are_anonymous_only_where_that_is_meant() =>
        Assert.Equal(
            ["Dashboard", "Health", "OpenApi", "Operators", "ProblemPage"],
            HttpTriggers()
                .Where(trigger => trigger.Data.ConstructorArguments.Any(argument =>
                    argument.ArgumentType == typeof(AuthorizationLevel) && (AuthorizationLevel)argument.Value! == AuthorizationLevel.Anonymous))
                .Select(trigger => trigger.Method.GetCustomAttribute<FunctionAttribute>()!.Name)
                .Order());

    [Fact]
    public void Name_their_methods_and_routes_themselves() =>
        Assert.All(
            Methods.SelectMany(method => method.GetParameters()).Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).OfType<HttpTriggerAttribute>(),
            trigger =>
            {
                Assert.NotEmpty(trigger.Methods!);
                Assert.False(string.IsNullOrEmpty(trigger.Route));
            });

    // Azure's scale controller reads a trigger's text itself, and knows no sections: with one a sleeping app may never be woken.
    [Fact]
    public void Have_only_flat_settings_in_their_triggers() =>
        Assert.All(
            Methods.SelectMany(method => method.GetParameters()).SelectMany(parameter => parameter.CustomAttributes)
                .Where(attribute => attribute.AttributeType.Name.EndsWith("TriggerAttribute", StringComparison.Ordinal) && attribute.AttributeType != typeof(HttpTriggerAttribute))
                .SelectMany(attribute => attribute.ConstructorArguments.Concat(attribute.NamedArguments.Select(named => named.TypedValue)))
                .Select(argument => argument.Value).OfType<string>(),
            text => Assert.False(text.Contains(':', StringComparison.Ordinal) || text.Contains("__", StringComparison.Ordinal), text));

    [Fact]
    public void Have_names_of_their_own() =>
        Assert.Empty(Methods
            .GroupBy(method => method.GetCustomAttribute<FunctionAttribute>()!.Name, StringComparer.OrdinalIgnoreCase)
            .Where(name => name.Count() > 1)
            .Select(name => name.Key));

    private static IEnumerable<(MethodInfo Method, CustomAttributeData Data)> HttpTriggers() =>
        from method in Methods
        from parameter in method.GetParameters()
        from data in parameter.GetCustomAttributesData()
        where data.AttributeType == typeof(HttpTriggerAttribute)
        select (method, data);
}

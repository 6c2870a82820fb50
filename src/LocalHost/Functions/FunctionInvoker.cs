using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace Outpost.LocalHost;

/// <summary>Calls one function: a new instance of its class for every call, made from a scope's services.</summary>
internal sealed class FunctionInvoker(FunctionDefinition function)
{
    private readonly MethodInfo _method = function.Method;

    private readonly ObjectFactory? _create = function.Method.IsStatic
        ? null
        : ActivatorUtilities.CreateFactory(function.Method.DeclaringType!, []);

    private readonly PropertyInfo? _taskResult =
        FunctionBinding.ResultType(function.Method.ReturnType) is { } result && result != function.Method.ReturnType
            ? typeof(Task<>).MakeGenericType(result).GetProperty(nameof(Task<>.Result))
            : null;

    private readonly MethodInfo? _asTask =
        function.Method.ReturnType is { IsGenericType: true } declared
        && declared.GetGenericTypeDefinition() == typeof(ValueTask<>)
            ? declared.GetMethod(nameof(ValueTask<>.AsTask))
            : null;

    public FunctionDefinition Function => function;

    /// <summary>Returns what the function returned, or null; its exceptions come through unchanged.</summary>
    public async Task<object?> InvokeAsync(IServiceProvider scope, FunctionInputs inputs)
    {
        var arguments = FunctionBinding.Arguments(_method, inputs);
        var instance = _create?.Invoke(scope, null);
        try
        {
            return await Outcome(_method.Invoke(
                instance, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null));
        }
        finally
        {
            if (instance is IAsyncDisposable asynchronous)
                await asynchronous.DisposeAsync();
            else if (instance is IDisposable disposable)
                disposable.Dispose();
        }
    }

    private async Task<object?> Outcome(object? returned)
    {
        if (_asTask is not null)
            returned = _asTask.Invoke(returned, null);
        switch (returned)
        {
            case Task task:
                await task;
                return _taskResult?.GetValue(task);
            case ValueTask task:
                await task;
                return null;
            default:
                return returned;
        }
    }
}

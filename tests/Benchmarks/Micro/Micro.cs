using Azure.Messaging.ServiceBus;
using BenchmarkDotNet.Attributes;

namespace Outpost.Tests.Benchmarks.Micro;

/// <summary>One hot path each. Public and not sealed, since BenchmarkDotNet derives from it.</summary>
public class Micro
{
    private readonly HotPaths _paths = new();

    [Benchmark, BenchmarkCategory("a row key of an offset, and back")]
    public long Key() => _paths.Key();

    [Benchmark, BenchmarkCategory("the rows of a transaction of 33 commands of 1 KiB, built and estimated")]
    public int Transaction() => _paths.Transaction();

    [Benchmark, BenchmarkCategory("an entry of its row, its JSON checked")]
    public EventEntry Entry() => _paths.Entry();

    [Benchmark, BenchmarkCategory("a page of 100 entries of 1 KiB as JSON")]
    public int Page() => _paths.Page();

    [Benchmark, BenchmarkCategory("the same as CloudEvents")]
    public int CloudEvents() => _paths.CloudEvents();

    [Benchmark, BenchmarkCategory("the Service Bus message of an entry")]
    public ServiceBusMessage Message() => _paths.Message();
}

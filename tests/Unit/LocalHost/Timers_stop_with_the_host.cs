using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Outpost.LocalHost;

namespace Outpost.Tests.Unit.LocalHost;

public sealed class Timers_stop_with_the_host
{
    [Fact]
    public async Task The_host_waits_for_a_run_under_way()
    {
        var (service, run) = await Started();

        var stopping = service.StopAsync(CancellationToken.None);

        Assert.True(run.Cancellation.IsCancellationRequested);
        Assert.False(stopping.IsCompleted);
        run.Leave.SetResult();
        await stopping.WaitAsync(ManualTime.Patience);
    }

    [Fact]
    public async Task The_host_waits_no_longer_than_it_may()
    {
        var (service, run) = await Started();

        await service.StopAsync(new CancellationToken(canceled: true)).WaitAsync(ManualTime.Patience);

        run.Leave.SetResult();
    }

    private static async Task<(TimerService Service, UnderWay Run)> Started()
    {
        var run = new UnderWay();
        var services = new ServiceCollection().AddSingleton(run).BuildServiceProvider();
        var lifetime = new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance);
        var function = Assert.Single(FunctionDiscovery.Find([typeof(App)]));
        var plan = new TimerPlan("Tick", TimerSchedule.TryParse("0 0 * * * *")!, RunOnStartup: true, IsMonitored: true);
        var service = new TimerService(
            [(plan, new FunctionInvoker(function))], files: null, services.GetRequiredService<IServiceScopeFactory>(),
            lifetime, new ManualTime(new DateTime(2026, 11, 22, 0, 0, 0, DateTimeKind.Utc)), NullLoggerFactory.Instance);

        await service.StartedAsync(CancellationToken.None);
        await run.Entered.Task.WaitAsync(ManualTime.Patience);
        lifetime.StopApplication();
        return (service, run);
    }

    private sealed class UnderWay
    {
        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Leave { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken Cancellation { get; set; }
    }

    private sealed class App(UnderWay run)
    {
        [Function("Tick")]
        public Task Tick([TimerTrigger("0 0 * * * *", RunOnStartup = true)] TimerInfo timer, CancellationToken cancellation)
        {
            run.Cancellation = cancellation;
            run.Entered.SetResult();
            return run.Leave.Task;
        }
    }
}
